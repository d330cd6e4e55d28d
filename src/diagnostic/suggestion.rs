//! Suggestions for mistyped words.

/// The candidate most similar to `word`, if any is similar enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Two of three letters right: `voter` for `voters`, `weigth` for `weight`.
    const ALIKE: f64 = 0.65;
    let word = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&word, &lower);
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// `a`, `a or b`, `a, b or c`.
pub fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((only, _)) => (*only).to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let keys = ["voters", "weight", "max_age", "leaders"];
        for (word, meant) in [
            ("voter", Some("voters")),
            ("weigth", Some("weight")),
            ("max-age", Some("max_age")),
            ("Leaders", Some("leaders")),
            ("colour", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
    }

    #[test]
    fn alternatives_read_as_a_sentence_has_them() {
        assert_eq!(alternatives(["a", "b", "c"]), "a, b or c");
        assert_eq!(alternatives(["a"]), "a");
    }
}
