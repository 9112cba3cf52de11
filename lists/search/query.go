package search

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxQuery is how many bytes of a query are parsed, maxWords how many of its words
	// count, and maxAlike how many words one with a * may stand for.
	maxQuery = 500
	maxWords = 16
	maxAlike = 100

	// minPrefix is how many letters must precede a *.
	minPrefix = 2
)

// A Query is what somebody looks for.
type Query struct {
	clauses  []clause
	from, to int // days, both included
	dated    bool
	Cut      bool // it was longer than maxQuery
}

// A clause says that a post must have one of some phrases, or none of them.
type clause struct {
	any []phrase
	not bool
}

// A phrase is words that follow each other in one of some fields.
type phrase struct {
	words []word
	mask  int
}

type word struct {
	text   string
	prefix bool // also all words that begin with it
}

// fieldsNamed are the names of fields in a query; public-inbox has the short ones.
var fieldsNamed = map[string]int{
	"subject": 1 << Subject, "s": 1 << Subject, "from": 1 << From, "f": 1 << From, "file": 1 << File, "n": 1 << File,
	"own": 1 << Own, "nq": 1 << Own, "quoted": 1 << Quoted, "q": 1 << Quoted, "body": 1<<Own | 1<<Quoted, "b": 1<<Own | 1<<Quoted,
}

// Parse parses a query: words that must all occur, "phrases in quotes", FIELD:word,
// date:2026-01..2026-03, beginnings*, OR between two, and - before what must not occur.
// It never fails: anything else is words.
func Parse(s string) Query {
	q := Query{to: maxDay, Cut: len(s) > maxQuery}
	s = clip(s, maxQuery)
	or, n := false, 0
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s == "" {
			return q
		}
		var t term
		t, s = next(s)
		if t.text == "OR" && t.bare && len(q.clauses) > 0 {
			or = true
			continue
		}
		if (t.field == "date" || t.field == "d") && q.dates(t.text) {
			continue
		}
		mask, known := fieldsNamed[t.field]
		if !known {
			mask = everywhere
			if t.field != "" {
				t.text = t.field + " " + t.text
			}
		}
		p := phrase{phraseOf(t.text, t.quoted), mask}
		if len(p.words) == 0 {
			continue
		}
		if n += len(p.words); n > maxWords {
			q.Cut = true
			return q
		}
		if last := len(q.clauses) - 1; or && last >= 0 && !t.not && !q.clauses[last].not {
			q.clauses[last].any = append(q.clauses[last].any, p)
		} else {
			q.clauses = append(q.clauses, clause{[]phrase{p}, t.not})
		}
		or = false
	}
}

// A term is one element of a query.
type term struct {
	field, text       string
	quoted, not, bare bool
}

// next splits off the first term.
func next(s string) (t term, rest string) {
	if len(s) > 1 && s[0] == '-' && s[1] != '-' && !unicode.IsSpace(rune(s[1])) {
		t.not, s = true, s[1:]
	}
	end := strings.IndexFunc(s, unicode.IsSpace)
	if end < 0 {
		end = len(s)
	}
	if at := strings.IndexByte(s[:end], ':'); at > 0 && isName(s[:at]) {
		t.field, s = strings.ToLower(s[:at]), s[at+1:]
		end -= at + 1
	}
	if strings.HasPrefix(s, `"`) {
		t.quoted = true
		t.text, rest, _ = strings.Cut(s[1:], `"`)
		return t, rest
	}
	t.bare = t.field == "" && !t.not
	t.text, rest = s[:end], s[end:]
	return t, rest
}

func isName(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf || !unicode.IsLetter(c) }) < 0
}

// phraseOf returns the words of a text. The last may stand for all that begin with it.
func phraseOf(text string, quoted bool) (list []word) {
	text = strings.TrimSpace(text)
	prefix := !quoted && strings.HasSuffix(text, "*")
	end, last := 0, ""
	words(text, func(w string, from, to int) bool {
		list = append(list, word{text: w})
		last, end = text[from:to], to
		return len(list) <= maxWords
	})
	c, n := utf8.DecodeRuneInString(last)
	switch {
	case len(list) == 0:
	case dense(c) && n == len(last): // each character begins a pair, or is the last one
		if len(list) > 1 && denseBefore(text[:end-n]) {
			list = list[:len(list)-1] // the pair before contains it
		} else {
			list[len(list)-1].prefix = true
		}
	case prefix && utf8.RuneCountInString(last) >= minPrefix:
		list[len(list)-1].prefix = true
	}
	return list
}

func denseBefore(s string) bool {
	c, _ := utf8.DecodeLastRuneInString(s)
	return dense(c)
}

// dates parses dates: 2026, 2026-03, 2026-03-15, or two of them with .. between, one of
// which may be missing. It returns false if s is something else.
func (q *Query) dates(s string) bool {
	from, to, two := strings.Cut(s, "..")
	if !two {
		to = from
	}
	if from == "" && to == "" {
		return false
	}
	first, last := 0, maxDay
	if from != "" {
		begin, _, ok := days(from)
		if !ok {
			return false
		}
		first = begin
	}
	if to != "" {
		_, end, ok := days(to)
		if !ok {
			return false
		}
		last = end
	}
	q.from, q.to, q.dated = max(q.from, first), min(q.to, last), true
	return true
}

// days returns the first and the last day of a year, a month or a day.
func days(s string) (first, last int, ok bool) {
	for _, form := range []struct {
		layout              string
		years, months, days int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {time.DateOnly, 0, 0, 1}, {"20060102", 0, 0, 1}} {
		if t, err := time.Parse(form.layout, s); err == nil {
			return Day(t), Day(t.AddDate(form.years, form.months, form.days)) - 1, true
		}
	}
	return 0, 0, false
}

// Day returns the day of a time, as in Post.
func Day(t time.Time) int { return int(max(0, t.Unix()) / (24 * 60 * 60)) }

// Empty reports whether the query searches for nothing.
func (q Query) Empty() bool { return len(q.clauses) == 0 && !q.dated }

// marks reports whether a word of a text is one that is searched.
func (q Query) marks(text string) bool {
	for _, c := range q.clauses {
		for _, p := range c.any {
			for _, w := range p.words {
				if !c.not && (w.text == text || w.prefix && strings.HasPrefix(text, w.text)) {
					return true
				}
			}
		}
	}
	return false
}
