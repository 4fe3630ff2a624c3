//! The known name nearest to a misspelled one.

/// The candidate that the fewest edits make of `word`, if they are few for its length; for what is said
/// to somebody who misspelled a name.
///
/// ```
/// use sockeye::addr::nearest;
///
/// assert_eq!(nearest("backlok", ["backlog", "nodelay"]), Some("backlog"));
/// assert_eq!(nearest("gopher", ["tcp", "udp"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a name into one twice as long; this also bounds the work.
    const LONGEST: usize = 40;
    let word: Vec<char> = word.chars().take(LONGEST).map(|c| c.to_ascii_lowercase()).collect();
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance, a swap of two neighbours counting as one edit.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(x != y);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(above[j - 1] + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_finds_its_name() {
        let names = ["tcp", "udp", "unix", "backlog", "nodelay"];
        assert_eq!(nearest("tpc", names), Some("tcp"));
        assert_eq!(nearest("backlok", names), Some("backlog"));
        assert_eq!(nearest("NoDealy", names), Some("nodelay"));
        assert_eq!(nearest("gopher", names), None);
        assert_eq!(nearest("", names), None);
    }
}
