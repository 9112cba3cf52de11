package migrate

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlist/lists/members"
	"superlist/smtp"
)

// columnNames are the titles of columns, in the form of spelling. The first of each is
// our own name.
var columnNames = map[string][]string{
	"email": {"email", "address", "e mail", "mail", "email address", "e mail address", "subscriber", "member email", "user email", "contact email", "user subscriber", "subscribed addresses",
		"e mail 1 value", "email 1 value", "emailaddress", "mail address", "e mail adresse", "mailadresse"},
	"name":        {"name", "display name", "realname", "real name", "full name", "fullname", "nickname", "member name", "gecos", "comment subscriber"},
	"first":       {"first name", "firstname", "given name"},
	"last":        {"last name", "lastname", "surname", "family name"},
	"words":       {"words", "options"},
	"delivery":    {"delivery", "delivery mode", "email preference", "reception", "reception subscriber", "email delivery"},
	"vacation":    {"vacation"},
	"for":         {"for", "alias", "alias of"},
	"lang":        {"lang", "language"},
	wordNoMail:    {wordNoMail, "no mail"},
	wordDigest:    {wordDigest},
	wordNoCopy:    {wordNoCopy},
	wordNoOwn:     {wordNoOwn, "notmetoo", "not metoo", "not me too"},
	wordOnce:      {wordOnce},
	wordModerated: {wordModerated, "mod"},
}

// A columns is the first row of a table.
type columns struct {
	comma rune
	title int      // lines above it
	heads []string // the titles as written
	names []string // keys of columnNames; empty: unknown
	says  []say
}

// maxTitle is how many lines may precede the first row: Google Groups has one, and
// Excel's sep=.
const maxTitle = 4

// tableOf finds the first row of a table; nil if the file is not a table.
func tableOf(begin []byte) *columns {
	for title := range maxTitle {
		line, rest, more := bytes.Cut(begin, []byte{'\n'})
		line = bytes.TrimRight(line, "\r")
		for _, comma := range ",;\t|" {
			if t := headsOf(line, comma); t != nil {
				t.title = title
				return t
			}
		}
		if !more || bytes.IndexByte(line, '@') >= 0 || bytes.HasPrefix(line, []byte("#")) {
			return nil
		}
		begin = rest
	}
	return nil
}

func headsOf(line []byte, comma rune) *columns {
	r := csv.NewReader(strings.NewReader(decoded(line)))
	r.Comma, r.TrimLeadingSpace = comma, true
	heads, err := r.Read()
	if err != nil {
		return nil
	}
	t := &columns{comma: comma, heads: heads, names: make([]string, len(heads)), says: make([]say, len(heads))}
	for i, head := range heads {
		heads[i] = strings.TrimSpace(head)
		for column, names := range columnNames {
			if slices.Contains(names, spelling(head)) {
				t.names[i] = column
			}
		}
		if t.names[i] == "" {
			t.says[i] = saysOf(head)
		}
	}
	if !slices.Contains(t.names, "email") {
		return nil
	}
	return t
}

func (in *roster) table(r io.Reader, t *columns) error {
	d := csv.NewReader(r)
	d.Comma, d.FieldsPerRecord, d.TrimLeadingSpace, d.ReuseRecord = t.comma, -1, true, true
	d.Read() // the first row
	in.report.Blank++
	for _, name := range in.ignore {
		if !slices.ContainsFunc(t.heads, func(head string) bool { return strings.EqualFold(head, name) }) {
			return fmt.Errorf("there is no column %s that could be ignored", short(name))
		}
	}
	ignored := make([]bool, len(t.heads))
	for i, head := range t.heads {
		ignored[i] = slices.ContainsFunc(in.ignore, func(name string) bool { return strings.EqualFold(head, name) })
		switch {
		case ignored[i]:
			t.names[i], t.says[i] = "", unrelated
		case t.names[i] == "" && head != "" && (t.says[i] == unrelated || t.says[i] == notForUs):
			in.report.leave(fmt.Sprintf("%s:%d", in.name, t.title+1), "the column "+short(head)+" is nothing that a member has here", "")
		}
	}
	for {
		record, err := d.Read()
		if err == io.EOF {
			return nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			in.bad(broken.StartLine+t.title, fmt.Sprintf("the line, up to line %d, is no CSV: %v", broken.Line+t.title, broken.Err))
			continue
		}
		if err != nil {
			return err
		}
		n, _ := d.FieldPos(0)
		in.at(n)
		in.record(n+t.title, record, t, ignored)
	}
}

// record reads a row.
func (in *roster) record(n int, record []string, t *columns, ignored []bool) {
	has := make(map[string]string, len(t.heads))
	why, at := stays, "" // for the worst standing
	for i, value := range record {
		value = strings.TrimSpace(decoded([]byte(value)))
		if i >= len(t.heads) {
			if value != "" {
				in.bad(n, short(value)+" stands in no column")
				return
			}
			continue
		}
		switch name := t.names[i]; {
		case ignored[i]:
		case name != "":
			if has[name] == "" {
				has[name] = value
			} else if value != "" && value != has[name] {
				in.report.leaveLine(in.name, n, short(value)+" stands in a second column "+name)
			}
		case t.says[i] == unrelated && spoken(value) != "":
			in.bad(n, fmt.Sprintf("%s stands in the column %s; --ignore-column takes whoever it says that of, or call the column status", short(value), short(t.heads[i])))
			return
		default:
			if how := t.says[i].of(value); how > why {
				why, at = how, fmt.Sprintf("%s in the column %s", short(value), short(t.heads[i]))
			}
		}
	}
	if strings.TrimSpace(strings.Join(record, "")) == "" {
		in.report.Blank++
		return
	}
	switch why {
	case unclear:
		in.bad(n, at+" is not understood, and may say that somebody has left; --ignore-column takes them all")
		return
	case gone:
		in.gone(n, has["email"], at)
		return
	}
	words, wrong := wordsOf(has)
	if wrong != "" {
		in.bad(n, wrong)
		return
	}
	inAddress, address := splitName(has["email"])
	address = bare(address)
	_, nameWord, _ := strings.Cut(" "+has["words"], " name=")
	name := cmp.Or(has["name"], nameWord, strings.TrimSpace(has["first"]+" "+has["last"]), inAddress)
	m, ok := member(address, append(words, named(name)...)...)
	if _, bare := smtp.ParseAddress(address); !ok || !bare {
		in.bad(n, short(has["email"])+" is not an address")
		return
	}
	if wrong := knownBehind(m); wrong != "" {
		in.bad(n, wrong)
		return
	}
	in.report.Lines++
	in.add(n, m)
}

// wordsOf returns the words after an address that a row implies.
func wordsOf(has map[string]string) (words []string, wrong string) {
	for _, word := range []string{wordNoMail, wordDigest, wordNoCopy, wordNoOwn, wordOnce, wordModerated} {
		yes, plain := yesOrNo(has[word])
		if said := strings.ToLower(has[word]); said == word || word == wordNoMail && slices.Contains(mailmanNoMail, said) {
			yes, plain = true, true
		}
		if !plain {
			return nil, short(has[word]) + " in the column " + word + " is neither yes nor no"
		}
		if yes {
			words = append(words, word)
		}
	}
	switch spelling(has["delivery"]) {
	case "", "regular", "each", "mail", "email", "each email", "all email", "every email", "all", "enabled", "normal", "txt", "html", "urlize":
	case wordNoMail, "none", "disabled", "no email", "noemail", "no mail":
		words = append(words, wordNoMail)
	case wordDigest, "digests", "mime digests", "plaintext digests", "summary digests", "digestplain", "summary", "abridged", "abridged email", "daily digest", "digest email", "daily summary":
		words = append(words, wordDigest)
	case "not me":
		words = append(words, wordNoOwn)
	default:
		return nil, short(has["delivery"]) + " in the column delivery is neither regular, digest nor nomail"
	}
	for _, key := range []string{"vacation", "for", "lang"} {
		if has[key] != "" {
			words = append(words, key+"="+has[key])
		}
	}
	also, _, _ := strings.Cut(" "+has["words"], " name=")
	behind, _ := members.Parse("x@example.com " + also) // for= may have spaces in it
	for _, word := range behind.Words {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words, ""
}

// mailmanNoMail are Mailman 2's reasons for sending somebody nothing: bounces, the
// owner, the user, unknown.
var mailmanNoMail = []string{"b", "a", "u", "?", "[b]", "[a]", "[u]", "[?]"}
