# Sidekiq with several worker processes: `ruby sidekiq_queue.rb PORT`.
#
# Workers take jobs with BRPOP. Jobs for later and jobs that failed wait in sorted sets, from which
# every process takes those that are due by a script, so that no two take the same. Workers require
# this file for the jobs. Nothing printed depends on time, so that the text for one server is the
# text for any other and `cargo xtask compat` compares the two.

require "tmpdir"
require "sidekiq"
require "sidekiq/api"

JOBS = 10_000
# Of these, so many are pushed for a moment later, and so many fail at their first attempt.
LATER = 900
FAILING = 100
# Beside these: jobs that fail for good.
DYING = 10
WORKERS = 4
THREADS = 5
PATIENCE_SECONDS = 240
URL = ENV.fetch("QUEUE_URL") { "redis://127.0.0.1:#{ARGV.fetch(0)}/0" }

# This version of Sidekiq is older than what its client warns of, and is used as it is.
Redis.silence_deprecations = true
Sidekiq.configure_client { |config| config.redis = {url: URL} }
Sidekiq.configure_server do |config|
  config.redis = {url: URL}
  # A job that fails is a warning, and meant to.
  config.logger = Logger.new($stderr, level: Logger::ERROR)
  # The search for jobs that are due; five seconds and more by default.
  config.options[:poll_interval_average] = 1
end

# Notes the job in a file of its process, beside what the server says.
class Double
  include Sidekiq::Job
  sidekiq_options queue: "work", retry: 1
  # The program itself retries what failed, when all have failed.
  sidekiq_retry_in { 3_600 }

  def perform(number)
    if number >= JOBS - FAILING && Sidekiq.redis { |r| r.sadd?("failed", number) }
      raise "the first attempt"
    end
    File.write(File.join(ENV.fetch("JOBS_RECORD"), Process.pid.to_s), "#{number}\n", mode: "a")
    Sidekiq.redis { |r| r.hset("results", number, 2 * number) }
  end
end

class Doomed
  include Sidekiq::Job
  sidekiq_options queue: "work", retry: 0

  def perform(_) = raise("no attempt succeeds")
end

def expect(got, wanted, what)
  raise "#{what}: got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

# Returns when the block is true; fails when time is up or a worker has gone.
def wait_until(what, workers)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE_SECONDS
  until yield
    raise "#{what}: not in time" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    gone = workers.find { |pid| Process.wait(pid, Process::WNOHANG) }
    raise "#{what}: a worker ended before" if gone
    sleep 0.1
  end
end

# Runs worker processes and ends them gently.
def with_workers(folder)
  environment = {"QUEUE_URL" => URL, "JOBS_RECORD" => folder}
  command = ["sidekiq", "-r", File.expand_path(__FILE__), "-q", "work", "-c", THREADS.to_s]
  workers = Array.new(WORKERS) { Process.spawn(environment, *command, out: :err) }
  begin
    wait_until("all workers are known", workers) { Sidekiq::ProcessSet.new.size == WORKERS }
    yield workers
  rescue
    workers.each { |pid| Process.kill("KILL", pid) }
    raise
  end
  workers.each { |pid| Process.kill("TERM", pid) }
  workers.each { |pid| expect(Process.wait2(pid)[1].exitstatus, 0, "a worker's end") }
end

def enqueue
  (LATER...JOBS).each_slice(1_000) do |numbers|
    Double.perform_bulk(numbers.map { |number| [number] })
  end
  due = (0...LATER).map { |number| Time.now.to_f + 1 + number.to_f / LATER }
  arguments = (0...LATER).map { |number| [number] }
  Sidekiq::Client.push_bulk("class" => Double, "args" => arguments, "at" => due)
  DYING.times { |number| Doomed.perform_async(number) }
end

def check_record(folder)
  done = Dir.children(folder).flat_map { |name| File.readlines(File.join(folder, name)) }
  expect(done.map(&:to_i).sort, (0...JOBS).to_a, "the record of jobs done")
  expect(Dir.children(folder).size, WORKERS, "workers that did something")
  puts "#{JOBS} jobs, each done once, by #{WORKERS} workers"
end

def check_results
  wanted = (0...JOBS).to_h { |number| [number.to_s, (2 * number).to_s] }
  expect(Sidekiq.redis { |r| r.hgetall("results") }, wanted, "the results")
  stats = Sidekiq::Stats.new
  puts "processed #{stats.processed}, failed #{stats.failed}, dead #{stats.dead_size}"
  puts "waiting #{stats.enqueued}, for later #{stats.scheduled_size}, to retry #{stats.retry_size}"
  puts "processes left #{stats.processes_size}"
end

SIZES = {"list" => :llen, "set" => :scard, "hash" => :hlen, "zset" => :zcard, "string" => :strlen}

# What is left: keys by pattern, type and size, and whether they expire.
def print_figures
  figures = Sidekiq.redis do |r|
    r.scan_each(count: 1_000).to_a.uniq.map do |name|
      type = r.type(name)
      pattern = name.sub(/\d{4}-\d\d-\d\d\z/, "DATE").sub(/\A[^:]+:\d+:\h{12}\b/, "PROCESS")
      size = r.public_send(SIZES.fetch(type), name)
      "#{pattern} #{type} of #{size}#{", expires" if r.ttl(name) > 0}"
    end
  end
  figures.tally.sort.each { |figure, count| puts "#{count} #{figure}" }
end

def main
  Sidekiq.redis { |r| r.flushall }
  Dir.mktmpdir do |folder|
    with_workers(folder) do |workers|
      enqueue
      retries = Sidekiq::RetrySet.new
      wait_until("the first attempts fail", workers) { retries.size == FAILING }
      retries.retry_all
      wait_until("all jobs are done", workers) do
        Sidekiq.redis { |r| r.hlen("results") } == JOBS && Sidekiq::DeadSet.new.size == DYING
      end
    end
    check_record(folder)
  end
  check_results
  print_figures
  Sidekiq.redis { |r| r.flushall }
end

main if $PROGRAM_NAME == __FILE__
