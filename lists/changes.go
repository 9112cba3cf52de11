package lists

import (
	"fmt"
	"mime"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"superlist/lists/config"
	"superlist/lists/parts"
	"superlist/lists/pattern"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Changes configures what a list changes in its posts, apart from its own header
// fields. The zero value leaves every byte of a post as it came.
type Changes struct {
	SubjectPrefix string   `json:"subject_prefix"` // {number} stands for the number of the post in the archive
	ReplyTo       string   `json:"reply_to"`       // author, list, both, or an address
	HeaderText    string   `json:"header_text"`    // put before the text
	Footer        string   `json:"footer"`         // put after the text
	FooterFile    string   `json:"footer_file"`    // a file with the footer
	Footers       []string `json:"footers"`        // "de: text": for members who have chosen German
	HeaderTexts   []string `json:"header_texts"`
	FooterPlace   string   `json:"footer_place"`   // end or above-signature
	FooterSigned  string   `json:"footer_signed"`  // skip or wrap
	DMARC         string   `json:"dmarc"`          // auto, none, munge, wrap or reject
	Anonymous     bool     `json:"anonymous"`      // hides the author completely
	HeadersAdd    []string `json:"headers_add"`    // "Name: value"
	HeadersRemove []string `json:"headers_remove"` // names, with *
	HTML          string   `json:"html"`           // keep, to-text or remove
	// Types and file names, with *: these parts are removed, and a note replaces them.
	AttachmentsRemove []string `json:"attachments_remove"`
	Personal          bool     `json:"personal"`  // each member gets a copy of their own
	OneClick          string   `json:"one_click"` // off, large or all: who gets a copy of their own for RFC 8058
}

// keys adds these keys to others.
func (c *Changes) keys(others []config.Key) []config.Key {
	return append(others, []config.Key{
		{Name: "subject_prefix", To: &c.SubjectPrefix},
		{Name: "reply_to", To: &c.ReplyTo},
		{Name: "header_text", To: &c.HeaderText},
		{Name: "footer", To: &c.Footer},
		{Name: "footer_file", To: &c.FooterFile},
		{Name: "footers", To: &c.Footers},
		{Name: "header_texts", To: &c.HeaderTexts},
		{Name: "footer_place", To: &c.FooterPlace},
		{Name: "footer_signed", To: &c.FooterSigned},
		{Name: "dmarc", To: &c.DMARC},
		{Name: "anonymous", To: &c.Anonymous},
		{Name: "headers_add", To: &c.HeadersAdd},
		{Name: "headers_remove", To: &c.HeadersRemove},
		{Name: "html", To: &c.HTML},
		{Name: "attachments_remove", To: &c.AttachmentsRemove},
		{Name: "personal", To: &c.Personal},
		{Name: "one_click", To: &c.OneClick},
	}...)
}

// Values of Changes.ReplyTo, other than an address.
const (
	ReplyToAuthor = "author"
	ReplyToList   = "list"
	ReplyToBoth   = "both"
)

// Values of Changes.FooterPlace: where in plain text a footer stands; and of
// Changes.FooterSigned: what it means for mail that is signed or encrypted.
const (
	FooterAtEnd          = "end"
	FooterAboveSignature = "above-signature" // the author's, which begins with "-- "

	SignedSkip = "skip" // it has none
	SignedWrap = "wrap" // it becomes a part beside the text
)

// Values of Changes.DMARC: what happens to a post if the author's domain would make the
// members' hosts refuse it.
const (
	DMARCAuto   = "auto"   // munge, if the post would really fail
	DMARCNone   = "none"   // nothing
	DMARCMunge  = "munge"  // From becomes the list's address
	DMARCWrap   = "wrap"   // the post is sent as an attached message
	DMARCReject = "reject" // the post is refused
)

// Values of Changes.HTML.
const (
	HTMLKeep   = "keep"
	HTMLToText = "to-text"
	HTMLRemove = "remove"
)

// Number stands for the number of the post in a subject_prefix.
const Number = "{number}"

const (
	// maxPrefix is the longest subject_prefix: a Subject should fit on the same line.
	maxPrefix = 60
	// MaxFooter is the most bytes of a text that is added to posts: half a page.
	MaxFooter = 4 << 10
	// maxFooterLine is its longest line, in bytes: RFC 5322, 2.1.1 allows 998, and
	// something may surround it. maxFooterWord is the longest word. In HTML it takes
	// several times as much, and cannot be broken.
	maxFooterLine = 900
	maxFooterWord = 150
	// maxAdded is the longest value in headers_add.
	maxAdded = 400
)

func changesDefaults() Changes {
	return Changes{ReplyTo: ReplyToAuthor, DMARC: DMARCAuto, FooterPlace: FooterAtEnd, FooterSigned: SignedSkip, HTML: HTMLKeep, OneClick: OneClickOff, Footers: []string{}, HeaderTexts: []string{}, HeadersAdd: []string{}, HeadersRemove: []string{}, AttachmentsRemove: []string{}}
}

// Filters reports whether parts of a post may be taken away.
func (c *Changes) Filters() bool { return len(c.AttachmentsRemove) > 0 || c.HTML != HTMLKeep }

// checkChanges returns the key that is wrong and what is wrong with it; both are empty
// if nothing is.
func (l *List) checkChanges() (key, what string) {
	if what := badPrefix(l.SubjectPrefix); what != "" {
		return "subject_prefix", what
	}
	if strings.Contains(l.SubjectPrefix, Number) && !l.Archive {
		return "subject_prefix", Number + " needs archive = true: it is the number of the post there"
	}
	l.replyTo = smtp.Path{}
	switch l.ReplyTo {
	case ReplyToAuthor, ReplyToList, ReplyToBoth:
	default:
		var ok bool
		if l.replyTo, ok = smtp.ParseAddress(l.ReplyTo); !ok || !l.replyTo.IsASCII() {
			return "reply_to", "must be author, list, both, or a mail address"
		}
	}
	if l.Anonymous && l.ReplyTo == ReplyToBoth {
		return "reply_to", "both would name the author, and the list is anonymous"
	}
	if what := BadFooter(l.HeaderText); what != "" {
		return "header_text", what
	}
	if what := BadFooter(l.Footer); what != "" {
		return "footer", what
	}
	if what := badLanguages(l.Footers); what != "" {
		return "footers", what
	}
	if what := badLanguages(l.HeaderTexts); what != "" {
		return "header_texts", what
	}
	if l.Footer != "" && l.FooterFile != "" {
		return "footer_file", "cannot be combined with footer: say one of them"
	}
	if strings.ContainsAny(l.FooterFile, "\x00\n") || !filepath.IsLocal(l.FooterFile) && l.FooterFile != "" && !filepath.IsAbs(l.FooterFile) {
		return "footer_file", "must be the name of a file in the list's directory, or begin with /"
	}
	if l.FooterPlace != FooterAtEnd && l.FooterPlace != FooterAboveSignature {
		return "footer_place", "must be end or above-signature"
	}
	if l.FooterSigned != SignedSkip && l.FooterSigned != SignedWrap {
		return "footer_signed", "must be skip or wrap"
	}
	if !slices.Contains([]string{DMARCAuto, DMARCNone, DMARCMunge, DMARCWrap, DMARCReject}, l.DMARC) {
		return "dmarc", "must be auto, none, munge, wrap or reject"
	}
	if !slices.Contains([]string{HTMLKeep, HTMLToText, HTMLRemove}, l.HTML) {
		return "html", "must be keep, to-text or remove"
	}
	if !slices.Contains([]string{OneClickOff, OneClickLarge, OneClickAll}, l.OneClick) {
		return "one_click", "must be off, large or all"
	}
	if what := pattern.BadKind(l.AttachmentsRemove); what != "" {
		return "attachments_remove", what
	}
	if what := badAdded(l.HeadersAdd); what != "" {
		return "headers_add", what
	}
	if what := badRemove(l.HeadersRemove); what != "" {
		return "headers_remove", what
	}
	return "", ""
}

func badPrefix(prefix string) string {
	switch {
	case utf8.RuneCountInString(prefix) > maxPrefix:
		return fmt.Sprintf("must be at most %d characters", maxPrefix)
	case strings.ContainsFunc(prefix, unicode.IsControl) || !utf8.ValidString(prefix):
		return "must be one line without control characters"
	case strings.Contains(prefix, "=?"):
		return `must not contain "=?", which mail programs take for an encoded word; write the characters themselves`
	case prefix != "" && strings.TrimSpace(strings.ReplaceAll(prefix, Number, "")) == "":
		return `must have more in it than spaces and {number}, or nobody could tell it: "[dev {number}]"`
	}
	return ""
}

// BadFooter says what is wrong with a text to be added to posts; empty if nothing is.
func BadFooter(text string) string {
	if len(text) > MaxFooter {
		return fmt.Sprintf("must be at most %d bytes", MaxFooter)
	}
	if !utf8.ValidString(text) {
		return "must be UTF-8"
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if len(line) > maxFooterLine {
			return fmt.Sprintf("must not have lines of more than %d bytes", maxFooterLine)
		}
		for word := range strings.FieldsSeq(line) {
			if len(word) > maxFooterWord {
				return fmt.Sprintf("must not have words of more than %d bytes", maxFooterWord)
			}
		}
		if strings.ContainsFunc(line, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }) {
			return "must not have control characters"
		}
	}
	return ""
}

// fixed says why a list can neither add nor remove a field; empty if it can.
func fixed(name string) string {
	switch strings.ToLower(name) {
	case "from", "sender":
		return "says who wrote the post; see dmarc and anonymous"
	case "date", "message-id", "mime-version":
		return "is a field that mail cannot do without"
	case "content-type", "content-transfer-encoding":
		return "says how to read the post"
	case "received", "delivered-to", "x-loop":
		return "stops mail loops"
	}
	return ""
}

// unaddable says why a list cannot add a field that others write; empty if it can.
func unaddable(name string) string {
	if why := fixed(name); why != "" {
		return why
	}
	name = strings.ToLower(name)
	switch name {
	case "subject":
		return "is the author's; see subject_prefix"
	case "reply-to":
		return "has a key of its own, reply_to"
	case "list-id", "list-post", "list-help", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post", "list-owner", "precedence":
		return "is written by superlist"
	case "return-path", "bcc", "dkim-signature", "authentication-results":
		return "is not a list's to write"
	}
	for _, prefix := range []string{"content-", "resent-", "arc-"} {
		if strings.HasPrefix(name, prefix) {
			return "is not a list's to write"
		}
	}
	return ""
}

// badAdded says what is wrong with headers_add.
func badAdded(list []string) string {
	for i, s := range list {
		name, value, ok := cutField(s)
		switch {
		case !ok || !rewrite.IsName(name):
			return fmt.Sprintf("%q must be a name, a colon and a value: \"X-Team: blue\"", s)
		case value == "" || len(value) > maxAdded || strings.ContainsFunc(value, unicode.IsControl) || !utf8.ValidString(value):
			return fmt.Sprintf("the value of %s must be one line of 1 to %d bytes without control characters", name, maxAdded)
		}
		if why := unaddable(name); why != "" {
			return fmt.Sprintf("cannot have %s, which %s", name, why)
		}
		for _, other := range list[:i] {
			if other, _, _ := cutField(other); strings.EqualFold(other, name) && rewrite.Single(name) {
				return fmt.Sprintf("has %s twice, which a message may have once", name)
			}
		}
	}
	return ""
}

func cutField(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, ":")
	return name, strings.TrimSpace(value), ok
}

// badRemove says what is wrong with headers_remove; empty if nothing is.
func badRemove(patterns []string) string {
	for _, p := range patterns {
		if strings.Trim(p, "*") == "" || !rewrite.IsName(p) {
			return fmt.Sprintf("%q must be the name of a field, such as \"X-Mailer\" or \"X-Spam-*\"", p)
		}
		for _, name := range []string{"From", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Received", "Delivered-To", "X-Loop"} {
			if pattern.Strict.Match(p, name) {
				return fmt.Sprintf("cannot have %q: %s %s", p, name, fixed(name))
			}
		}
	}
	return ""
}

// AddedFields returns the fields of headers_add.
func (l *List) AddedFields() (fields rewrite.Header) {
	for _, s := range l.HeadersAdd {
		name, value, _ := cutField(s)
		if !smtp.IsASCII(value) {
			value = strings.ReplaceAll(mime.BEncoding.Encode("utf-8", value), " ", "\r\n ")
		}
		fields = append(fields, rewrite.Field{Name: name, Raw: []byte(name + ": " + value + "\r\n")})
	}
	return fields
}

// RemovesField reports whether headers_remove includes a field.
func (l *List) RemovesField(name string) bool {
	return slices.ContainsFunc(l.HeadersRemove, func(p string) bool { return pattern.Strict.Match(p, name) })
}

// ReplyToPath returns the address that reply_to names; null if reply_to is a word.
func (l *List) ReplyToPath() smtp.Path { return l.replyTo }

// Removes reports whether attachments_remove includes a part.
func (l *List) Removes(p parts.Part) bool { return pattern.Loose.FitsKind(l.AttachmentsRemove, p) }
