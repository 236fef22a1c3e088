//! Configuration files: any text is values or an error; what was read can be rewritten over the
//! same text, and the result reads back as the same values.
#![no_main]

use config::{Config, Environment, LoadError, RewriteExtras, ids};
use libfuzzer_sys::fuzz_target;

fn load(text: &[u8]) -> Result<Config, LoadError> {
    let config = Config::new(&Environment { cores: 1, directory: b"/".to_vec() });
    // Includes match no file: rewriting cannot take back what an included file adds.
    config.load(text, &mut |_, _| Ok(Vec::new())).map(|_| config)
}

fuzz_target!(|text: &[u8]| {
    let config = match load(text) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.report("Ferrite").is_empty());
            return;
        }
    };
    let rewritten = config.rewrite(text, &RewriteExtras::default());
    let again = load(&rewritten).expect("a rewritten file is a valid file");
    for id in ids() {
        assert_eq!(again.value(id), config.value(id), "{}", id.row().name);
    }
    assert_eq!(again.rewrite(&rewritten, &RewriteExtras::default()), rewritten);
});
