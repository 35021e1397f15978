//! `-m string` and `-m u32`.

use packet::Family;
use program::{ContentTest, Match, StringTest, WordStep, WordsPart, WordsTest};
use rules::matches;
use rules::matches::u32::Operator;

use super::{Lowering, append};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    /// Both ways to search find the same.
    pub(super) fn string(&mut self, test: &matches::StringTest) -> Result<Match, Reason> {
        if !matches!(&*test.algorithm, "bm" | "kmp") {
            return Err(Reason::NotEnforced("-m string by another --algo than bm and kmp"));
        }
        self.content(ContentTest::String(StringTest::new(&test.pattern, (test.from, test.to), test.ignore_case, test.invert)))
    }

    pub(super) fn words(&mut self, test: &matches::U32) -> Result<Match, Reason> {
        let step = |(operator, number): &(Operator, u32)| {
            let step = match operator {
                Operator::And => WordStep::And,
                Operator::Left => WordStep::Left,
                Operator::Right => WordStep::Right,
                Operator::At => WordStep::At,
            };
            (step, *number)
        };
        let parts = test.parts.iter().map(|part| WordsPart {
            start: part.start,
            steps: part.steps.iter().map(step).collect(),
            values: part.values.clone(),
        });
        self.content(ContentTest::Words(WordsTest { parts: parts.collect(), not: test.invert }))
    }

    fn content(&mut self, test: ContentTest) -> Result<Match, Reason> {
        append(&mut self.table.content_tests, &[test], "tests of contents").map(|run| Match::Content(run.first))
    }
}
