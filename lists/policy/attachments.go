package policy

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"superlist/smtp"

	"superlist/lists/parts"
	"superlist/lists/pattern"
	"superlist/lists/rewrite"
)

// ownText reports whether a part is text that somebody has written, and not an
// attachment.
func ownText(p parts.Part) bool {
	return (p.Type == "text/plain" || p.Type == "text/html") && len(p.Names) == 0 && !p.File
}

// looksIn reports whether the list wants to examine the parts of a post.
func (l *Policy) looksIn() bool {
	return len(l.AttachmentsAllow)+len(l.AttachmentsRefuse) > 0 || l.Filters() || l.Anonymous
}

// names reports whether a part is or contains a signature, which identifies its author.
func names(p parts.Part) bool {
	switch p.Type {
	case "multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature",
		"application/pgp-signature", "application/pgp-keys":
		return true
	}
	return false
}

// errPart ends the walk at a part that the list does not accept.
var errPart = errors.New("refused")

// judgeParts checks the parts of a post against what the list accepts. A message that
// cannot be parsed may contain anything, so it is refused.
func (l *Policy) judgeParts(p *Posting) (d Decision, done bool, err error) {
	if !l.looksIn() || p.Body == nil {
		return d, false, nil
	}
	body, err := p.Body()
	if err != nil {
		return d, false, err
	}
	n, signed := 0, false
	var bad parts.Part
	err = parts.Walk(p.Header, body, func(part parts.Part) error {
		n++
		if signed = l.Anonymous && names(part); signed {
			return errPart
		}
		container := part.Multipart() || ownText(part)
		if pattern.Loose.FitsKind(l.AttachmentsRefuse, part) || len(l.AttachmentsAllow) > 0 && !container && !pattern.Strict.FitsKind(l.AttachmentsAllow, part) {
			bad = part
			return errPart
		}
		return nil
	})
	switch {
	case err == nil:
		p.trace("attachments", "none of %d parts is refused", n)
		return d, false, nil
	case err == errPart && signed:
		return l.reject(p, "anonymous", "5.7.1", "%s is anonymous, and a signature or a key names its author; send the post without", l.Addr.Address()), true, nil
	case err == errPart:
		return l.reject(p, "attachments", "5.6.1", "%s does not take attachments like this one: %s", l.Addr.Address(), describe(bad)), true, nil
	case errors.Is(err, parts.ErrUnreadable):
		return l.reject(p, "attachments", "5.6.0", "%s looks at attachments, and %v", l.Addr.Address(), err), true, nil
	}
	return d, false, err
}

// maxDescribed is how much of a name a refusal shows.
const maxDescribed = 60

// describe names a part in a refusal: its type, and its name if it has one.
func describe(p parts.Part) string {
	s := described(cmp.Or(p.Type, "no type"))
	if len(p.Names) > 0 {
		s = fmt.Sprintf("%q, %s", described(p.Names[len(p.Names)-1]), s)
	}
	return s
}

func described(s string) string {
	s = smtp.Clean(s, `"\`)
	return s[:min(len(s), maxDescribed)]
}

// BodyOf returns a Posting.Body for a message in a file.
func BodyOf(content *io.SectionReader) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		_, at, err := rewrite.ReadHeader(io.NewSectionReader(content, 0, content.Size()))
		return io.NewSectionReader(content, at, max(0, content.Size()-at)), err
	}
}
