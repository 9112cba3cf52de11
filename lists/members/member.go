package members

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"superlist/lists/textfile"
	"superlist/smtp"
)

// A Member is one line of members: an address, and words about it.
type Member struct {
	Path   smtp.Path
	NoMail bool     // may post and gets nothing
	Digest bool     // gets many posts in one mail, if the list sends such
	Words  []string // everything after the address, unchanged

	NoCopy    bool   // gets no copy of posts that name them in To or Cc
	NoOwn     bool   // gets no copy of their own posts
	Once      bool   // gets a post for several lists from one of them
	Moderated bool   // a moderator sees their posts first
	Vacation  string // gets nothing before this day, "2026-12-31"; empty: not away
	For       string // another address of this member: may post, and gets nothing
	Bounced   string // gets nothing since this day, because mail came back; empty: it does not
	Lang      string // of the list's letters to them, a BCP 47 tag; empty: the list's
}

// knownWord reports whether a word after an address has a meaning.
func knownWord(word string) bool {
	switch word {
	case wordNoMail, wordDigest, wordNoCopy, wordNoOwn, wordOnce, wordModerated:
		return true
	}
	if until, ok := strings.CutPrefix(word, wordVacation); ok {
		return isDay(until)
	}
	if since, ok := strings.CutPrefix(word, wordBounced); ok {
		return isDay(since)
	}
	if tag, ok := strings.CutPrefix(word, wordLang); ok {
		return ValidLanguage(tag)
	}
	if whose, ok := strings.CutPrefix(word, wordFor); ok {
		_, ok := smtp.ParseAddress(whose)
		return ok
	}
	return strings.HasPrefix(word, wordName)
}

// isDay reports whether s is a day, 2026-12-31: such words sort like the days.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Unknown returns the first of a member's words that has no meaning.
func (m Member) Unknown() string {
	for _, word := range m.Words {
		if !knownWord(word) {
			return word
		}
	}
	return ""
}

// Present reports whether a member gets any mail from the list on this day.
func (m Member) Present(day string) bool {
	return !m.NoMail && m.Bounced == "" && m.Vacation <= day
}

// Gets reports whether a member who gets posts individually gets a post on this day, by
// this author and naming these people.
func (m Member) Gets(author string, named map[string]bool, day string) bool {
	key := m.Path.Key()
	return m.Present(day) && !(m.NoOwn && key == author) && !(m.NoCopy && named[key])
}

// parseLine parses a line of a members file.
func parseLine(line string) (Member, bool) {
	line = strings.TrimFunc(line, textfile.Blank)
	if line == "" || line[0] == '#' {
		return Member{}, false
	}
	return memberOf(line)
}

// memberOf parses an address and the words after it.
func memberOf(line string) (Member, bool) {
	end := wordEnd(line)
	path, ok := smtp.ParseAddress(line[:end])
	m := Member{Path: path}
	rest := strings.TrimFunc(line[end:], textfile.Blank)
	for rest != "" {
		end := strings.IndexFunc(rest, textfile.Blank)
		switch {
		case strings.HasPrefix(rest, wordName), end < 0:
			end = len(rest)
		case strings.HasPrefix(rest, wordFor): // an address may have spaces in quotes
			end = wordEnd(rest)
		}
		word := rest[:end]
		m.NoMail = m.NoMail || word == wordNoMail
		m.Digest = m.Digest || word == wordDigest
		m.NoCopy = m.NoCopy || word == wordNoCopy
		m.NoOwn = m.NoOwn || word == wordNoOwn
		m.Once = m.Once || word == wordOnce
		m.Moderated = m.Moderated || word == wordModerated
		if until, ok := strings.CutPrefix(word, wordVacation); ok && isDay(until) {
			m.Vacation = until
		}
		if since, ok := strings.CutPrefix(word, wordBounced); ok && isDay(since) {
			m.Bounced = since
		}
		if tag, ok := strings.CutPrefix(word, wordLang); ok && ValidLanguage(tag) {
			m.Lang = tag
		}
		if whose, ok := strings.CutPrefix(word, wordFor); ok {
			m.For, m.NoMail = whose, true
		}
		m.Words = append(m.Words, word)
		rest = strings.TrimFunc(rest[end:], textfile.Blank)
	}
	return m, ok
}

// String returns the member's line. It quotes an address that would otherwise be a
// comment.
func (m Member) String() string {
	address := m.Path.Address()
	if strings.HasPrefix(address, "#") {
		address = `"` + m.Path.Local + `"` + address[len(m.Path.Local):]
	}
	return strings.Join(append([]string{address}, m.Words...), " ")
}

// MaxLocal is the longest local part of a member: RFC 5321, 4.5.3.1.1.
const MaxLocal = 64

// maxName is the longest name in the members file, in characters.
const maxName = 100

// Named returns the member with a name, as in From when somebody joins. A name that
// shows an address is left out: it says nothing, or deceives.
func (m Member) Named(name string) Member {
	name = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c), unicode.IsControl(c):
			return ' '
		case unicode.Is(unicode.Cf, c), c == utf8.RuneError:
			return -1
		}
		return c
	}, name)), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = strings.TrimSpace(string(runes[:maxName]))
	}
	if name != "" && !strings.Contains(name, "@") {
		m.Words = append(slices.Clip(m.Words), wordName+name)
	}
	return m
}

// Unmoderated returns the member without the word that makes a moderator see their
// posts first.
func (m Member) Unmoderated() Member {
	m.Moderated = false
	m.Words = slices.DeleteFunc(slices.Clone(m.Words), func(word string) bool { return word == wordModerated })
	return m
}

// Choosing is the member with what another line says of how the posts come, as far as
// members choose it themselves: the rest stays.
func (m Member) Choosing(other Member) Member {
	words := ownChoice(other.Words, true)
	words = append(words, ownChoice(m.Words, false)...) // name= stays last
	m, _ = memberOf(strings.Join(append([]string{m.Path.Address()}, words...), " "))
	return m
}

// ownChoice are the words that members choose themselves, or the others.
func ownChoice(words []string, own bool) (some []string) {
	for _, word := range words {
		switch is := strings.HasPrefix(word, wordVacation); {
		case is, word == wordNoMail, word == wordDigest, word == wordNoCopy, word == wordNoOwn:
			if own {
				some = append(some, word)
			}
		case !own:
			some = append(some, word)
		}
	}
	return some
}

// PostingFor returns another address of a member, pointing to the member's new address
// p.
func (m Member) PostingFor(p smtp.Path) Member {
	words := slices.Clone(m.Words)
	words[slices.Index(words, wordFor+m.For)] = wordFor + p.Address()
	m.Words, m.For = words, p.Address()
	return m
}

// A Delivery is how a member gets the posts of a list.
type Delivery byte

// Delivery returns how a member gets the posts.
func (m Member) Delivery() Delivery {
	switch {
	case m.NoMail:
		return NoPosts
	case m.Digest:
		return InDigests
	}
	return Each
}

// With returns the member with another way of getting posts. The other words stay,
// including for=, with which the address gets nothing.
func (m Member) With(d Delivery) Member {
	var words []string
	switch d {
	case InDigests:
		words = append(words, wordDigest)
	case NoPosts:
		words = append(words, wordNoMail)
	}
	for _, word := range m.Words {
		if word != wordDigest && word != wordNoMail {
			words = append(words, word) // name= stays last
		}
	}
	m.Words, m.Digest, m.NoMail = words, d == InDigests, d == NoPosts || m.For != ""
	return m
}

// Suspended returns the member suspended since a day, because mail came back; an empty
// day reinstates them.
func (m Member) Suspended(since string) Member {
	words := slices.DeleteFunc(slices.Clone(m.Words), func(word string) bool { return strings.HasPrefix(word, wordBounced) })
	if since != "" {
		words = append([]string{wordBounced + since}, words...) // name= stays last
	}
	m.Words, m.Bounced = words, since
	return m
}
