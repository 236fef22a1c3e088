//! Our matching of patterns against that of Lua itself: the same results and the same errors.

#![allow(clippy::unwrap_used, reason = "a test")]

use lua::Machine;
use mlua::{Function, Lua, LuaOptions, StdLib};
use stdx::rng::Rng;

/// Calls a function of `string` and shows what it returns, or its error.
const CALL: &str = r"
    local name, subject, pattern, third, fourth = ...
    local function show(value)
        return type(value) == 'string' and string.format('%q', value) or tostring(value)
    end
    local function all(ok, ...)
        local shown = {tostring(ok)}
        for i = 1, select('#', ...) do shown[i + 1] = show((select(i, ...))) end
        return table.concat(shown, ' ')
    end
    local work = string[name]
    if name == 'gmatch' then
        work = function(s, p)
            local parts = {}
            for a, b in string.gmatch(s, p) do
                parts[#parts + 1] = show(a) .. '/' .. show(b)
                if #parts == 50 then break end
            end
            return table.concat(parts, ',')
        end
    end
    return (all(pcall(work, subject, pattern, third, fourth)):gsub('0x%x+', 'ADDRESS'))
";

struct Pair {
    machine: Machine,
    reference: Lua,
    ours: Function,
    theirs: Function,
}

impl Pair {
    fn new() -> Self {
        let machine = Machine::new(1).unwrap();
        let standard = StdLib::STRING | StdLib::TABLE;
        let reference = Lua::new_with(standard, LuaOptions::new()).unwrap();
        let ours = machine.lua().load(CALL).set_name("=call").into_function().unwrap();
        let theirs = reference.load(CALL).set_name("=call").into_function().unwrap();
        Self { machine, reference, ours, theirs }
    }

    /// Has both do the same; `third` and `fourth` are texts of Lua.
    fn check(&self, name: &str, subject: &[u8], pattern: &[u8], third: &str, fourth: &str) {
        let [ours, theirs] = [(self.machine.lua(), &self.ours), (&self.reference, &self.theirs)]
            .map(|(lua, call)| {
                let value =
                    |text: &str| lua.load(format!("return {text}")).eval::<mlua::Value>().unwrap();
                let (subject, pattern) =
                    (lua.create_string(subject).unwrap(), lua.create_string(pattern).unwrap());
                call.call::<mlua::LuaString>((name, subject, pattern, value(third), value(fourth)))
                    .unwrap()
                    .as_bytes()
                    .to_vec()
            });
        assert_eq!(
            ours.escape_ascii().to_string(),
            theirs.escape_ascii().to_string(),
            "string.{name}({:?}, {:?}, {third}, {fourth})",
            subject.escape_ascii().to_string(),
            pattern.escape_ascii().to_string()
        );
    }
}

const THIRDS: &[&str] = &[
    "'<%0>'",
    "'%1%2'",
    "'%%x%'",
    "{a = 'A', b = false, [1] = 2}",
    "function(a, b) return b or a end",
    "function() return {} end",
    "7",
    "true",
    "nil",
];

#[test]
fn what_is_special_is_special_in_the_same_way() {
    let pair = Pair::new();
    for pattern in [
        "",
        "b",
        "^b",
        "b$",
        "$",
        "^",
        "^$",
        "(",
        ")",
        "()",
        "(b)",
        "((a)(b))",
        "[",
        "[a",
        "[]",
        "[]]",
        "[^]]",
        "[^",
        "[a-c]",
        "[a-]",
        "[-a]",
        "[%a-z]",
        "[%",
        "[%]]",
        "%",
        "%%",
        "%a+",
        "%A",
        "%b",
        "%bx",
        "%b()",
        "%f",
        "%f[%w]",
        "%f[%w]%a*%f[%W]",
        "%1",
        "(a)%1",
        "(a%1)",
        "()%1",
        "(.-)%s*$",
        "a-b",
        "a?b",
        "a*",
        "a+b+",
        ".-",
        "%z",
        "a\0b",
        "%d%D%l%L%p%P%s%S%u%U%w%W%x%X%c%C",
        "[%d%s]",
        "*",
        "+",
        "-",
        "a**",
        "(()())",
        "%0",
        "(a",
        "a)",
        "x*",
        "[a-%%]",
        "[+--]",
        "[z-a]",
        "[^a-%%]",
    ] {
        for subject in
            ["", "a", "abc", "aab ab(b(x)b)b]-%", "a\0b", "  key = Value9 \n", "((", "$^b"]
        {
            let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
            for third in ["nil", "1", "2", "-1", "-100", "100", "0"] {
                pair.check("find", subject, pattern, third, "nil");
                pair.check("match", subject, pattern, third, "nil");
            }
            pair.check("find", subject, pattern, "1", "true");
            pair.check("gmatch", subject, pattern, "nil", "nil");
            for third in THIRDS {
                for fourth in ["nil", "0", "1", "-1", "2"] {
                    pair.check("gsub", subject, pattern, third, fourth);
                }
            }
        }
    }
    let captures = "(a?)".repeat(33);
    pair.check("find", b"aaa", captures.as_bytes(), "1", "nil");
    for (subject, count) in [("", 5), ("ab", 0), ("ab", -3), ("ab", 1), ("abc", 5000), ("x", 9000)]
    {
        let rep = |lua: &Lua| {
            lua.load(format!("return string.rep('{subject}', {count})")).eval::<String>().unwrap()
        };
        assert_eq!(rep(pair.machine.lua()), rep(&pair.reference));
    }
}

#[test]
fn random_patterns_match_as_in_lua() {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p lua --test patterns");
    let (pair, mut rng) = (Pair::new(), Rng::seed(seed));
    const PARTS: &[&str] = &[
        "a", "b", "c", ".", "%a", "%d", "%s", "[ab]", "[^a]", "[a-c%d]", "[a-%%b]", "[%a-%d]", "(",
        ")", "()", "%1", "%b()", "%f[a]", "*", "+", "-", "?", "$", "^", "[", "]", "%", " ", "1",
    ];
    const BYTES: &[u8] = b"aaabbc1 ()-]";
    for _ in 0..30_000 {
        let pattern: String =
            (0..rng.below(8)).map(|_| PARTS[rng.below(PARTS.len() as u64) as usize]).collect();
        let subject: Vec<u8> =
            (0..rng.below(12)).map(|_| BYTES[rng.below(BYTES.len() as u64) as usize]).collect();
        let pattern = pattern.as_bytes();
        match rng.below(4) {
            0 => pair.check("find", &subject, pattern, "nil", "nil"),
            1 => pair.check("match", &subject, pattern, "nil", "nil"),
            2 => pair.check("gmatch", &subject, pattern, "nil", "nil"),
            _ => {
                let third = THIRDS[rng.below(THIRDS.len() as u64) as usize];
                pair.check("gsub", &subject, pattern, third, "nil");
            }
        }
    }
}

#[test]
fn a_pattern_cannot_break_the_stack() {
    // In Lua 5.1 this ends the process.
    let machine = Machine::new(1).unwrap();
    let text = "return pcall(string.find, string.rep('a', 250000), string.rep('a?', 200001))";
    let (ok, message): (bool, String) = machine.lua().load(text).eval().unwrap();
    assert!(!ok && message.ends_with("pattern too complex"), "{message}");
}
