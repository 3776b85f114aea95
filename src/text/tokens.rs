//! Splitting text into words or characters by Unicode's rules.

use unicode_segmentation::UnicodeSegmentation;

/// The words of a text: runs of letters and digits, including punctuation inside words ("can't", "3.14"), without
/// spaces and other punctuation. Unicode Standard Annex 29.
///
/// ```
/// use taut::text::words;
/// assert!(words("Größe: 3.5 m, can't be.").eq(["Größe", "3.5", "m", "can't", "be"]));
/// ```
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.unicode_words()
}

/// The characters of a text as seen by a reader: a letter with its accents is one, and so is an emoji of several code
/// points. Unicode Standard Annex 29 (extended grapheme clusters).
///
/// ```
/// use taut::text::characters;
/// assert!(characters("noe\u{308}l").eq(["n", "o", "e\u{308}", "l"]));
/// ```
pub fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true)
}
