//! Reads Rust as far as the rules of the house need it: which paths a file names, and where.
//!
//! It knows comments, literals and `use` groups; it resolves no renames and expands no macros.

/// A path such as `crate::record::Item`, a `use` group taken apart; a macro's name ends in `!`.
pub struct Path {
    pub line: usize,
    pub segments: Vec<String>,
    /// How many inline modules stand around it.
    pub inline: usize,
}

/// What a mask leaves standing.
#[derive(Clone, Copy, PartialEq)]
pub enum Keep {
    Code,
    CodeAndTexts,
}

/// Blanks comments, and the insides of literals unless they are kept; every line stays where it is.
pub fn mask(text: &str, keep: Keep) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let comment = comment(rest);
        let length = if comment > 0 || is_word(previous) { comment } else { literal(rest) };
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (piece, after) = rest.split_at(length);
            let kept = comment == 0 && keep == Keep::CodeAndTexts;
            out.extend(piece.chars().map(|c| if kept || c == '\n' { c } else { ' ' }));
            rest = after;
        }
        previous = if length == 0 { first } else { ' ' };
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the comment that the text begins with, or nothing.
fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if !text.starts_with("/*") {
        return 0;
    }
    let mut depth = 0;
    for (at, _) in text.match_indices(['/', '*']) {
        match text.get(at..at + 2) {
            Some("/*") => depth += 1,
            Some("*/") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 2;
        }
    }
    text.len()
}

/// The length of the text or character literal that the text begins with, or nothing.
fn literal(text: &str) -> usize {
    let body = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - body.len();
    if prefix > 1 {
        return 0;
    }
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &raw[hashes + 1..];
            let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
            return prefix + 1 + hashes + 1 + length;
        }
    }
    match body.chars().next() {
        Some('"') => prefix + closed_by('"', body).unwrap_or(body.len()),
        Some('\'') if is_character(body) => prefix + closed_by('\'', body).unwrap_or(body.len()),
        _ => 0,
    }
}

/// Tells `'a'` from the lifetime `'a`.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

fn closed_by(quote: char, text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some(at + 1);
        }
    }
    None
}

/// Blanks what stands under `#[cfg(test)]`. Takes masked text.
pub fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        let (before, tests) = rest.split_at(start);
        let (tests, after) = tests.split_at(item_length(tests));
        out.push_str(before);
        out.extend(tests.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
    }
    out + rest
}

/// An item ends at its semicolon or at the brace that closes it.
fn item_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' => {}
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Names, `::`, and every other sign alone.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (n, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match rest.find(|c| !is_word(c)) {
                Some(0) if rest.starts_with("::") => 2,
                Some(0) => first.len_utf8(),
                Some(end) => end,
                None => rest.len(),
            };
            tokens.push(Token { line: n + 1, text: &rest[..length] });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// Every path of masked text.
pub fn paths(code: &str) -> Vec<Path> {
    let tokens = tokens(code);
    let mut reader = Reader { tokens: &tokens, at: 0, inline: 0, paths: Vec::new() };
    let (mut depth, mut modules) = (0, Vec::new());
    while let Some(text) = reader.peek(0) {
        match text {
            "mod" if reader.peek(2) == Some("{") => {
                modules.push(depth);
                reader.at += 2;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                modules.pop_if(|opened| *opened == depth);
            }
            text if text.starts_with(is_word) => {
                reader.inline = modules.len();
                reader.path(Vec::new());
                continue;
            }
            _ => {}
        }
        reader.at += 1;
    }
    reader.paths
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    inline: usize,
    paths: Vec<Path>,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a str> {
        self.tokens.get(self.at + ahead).map(|token| token.text)
    }

    /// Reads on from a prefix: a name and what follows it, a `*`, or a group.
    fn path(&mut self, mut segments: Vec<String>) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "{" => return self.group(&segments),
                text => segments.push(text.to_owned()),
            }
            self.at += 1;
            let goes_on = |next: &str| next == "{" || next == "*" || next.starts_with(is_word);
            if self.peek(0) != Some("::") || !self.peek(1).is_some_and(goes_on) {
                if self.peek(0) == Some("!")
                    && self.peek(1) != Some("=")
                    && let Some(name) = segments.last_mut()
                {
                    name.push('!');
                }
                return self.paths.push(Path { line: token.line, segments, inline: self.inline });
            }
            self.at += 1;
        }
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        while let Some(text) = self.peek(0) {
            match text {
                "}" => {
                    self.at += 1;
                    return;
                }
                "as" => self.at += 2,
                text if text == "*" || text.starts_with(is_word) => self.path(prefix.to_vec()),
                _ => self.at += 1,
            }
        }
    }
}
