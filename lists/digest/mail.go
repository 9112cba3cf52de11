package digest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"superlist/lists/letter"
	"superlist/lists/mail/compose"
	"superlist/lists/maillog"
)

// A Mail is many posts of a list in one mail: a text by the list that says what they
// are, and then a multipart/digest (RFC 2046, 5.1.5) with each post exactly as it was
// sent. It keeps no more of a post in memory than a buffer.
//
// Call Look first, then Header, then Body.
type Mail struct {
	letter.Letter           // without Quote, Attach, ReplyTo, Answers
	Posts         []Post    // those that Look does not find are left out
	From          Opener    // where they are read
	Passed        []string  // addresses of the lists that the posts have passed in digests
	Bounds        [2]string // boundaries that no author of a post could know
}

// A Post is one of a digest.
type Post struct {
	Number          int
	Author, Subject string // as people read them
	form            compose.Form
}

// An Opener opens posts by their number; the caller closes them. fs.ErrNotExist means
// that a post no longer exists.
type Opener interface {
	Open(n int) (f *os.File, size int64, err error)
}

// errBound means that a post contains our secret boundary. Trying again does not help,
// and nobody can cause it on purpose.
var errBound = errors.New("a post has the word in it that is to part it from the next one")

// Look reads all posts once, to see how they can be included.
func (d *Mail) Look() error {
	kept := d.Posts[:0]
	for _, p := range d.Posts {
		f, _, err := d.From.Open(p.Number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			p.form, err = d.look(f)
			f.Close()
		}
		if err != nil {
			return fmt.Errorf("post %d: %w", p.Number, err)
		}
		kept = append(kept, p)
	}
	d.Posts = kept
	return nil
}

// look reads one post.
func (d *Mail) look(post io.Reader) (compose.Form, error) {
	var form compose.FormFinder
	_, err := io.Copy(io.MultiWriter(&form, &boundFinder{bounds: d.Bounds[:]}), post)
	return form.Form(), err
}

// A boundFinder fails when one of the bounds is written to it.
type boundFinder struct {
	bounds []string
	kept   []byte // the end of what was written before
}

func (b *boundFinder) Write(p []byte) (int, error) {
	n, longest := len(p), 0
	for _, bound := range b.bounds {
		longest = max(longest, len(bound))
	}
	// Search what lies across the two pieces, and the piece itself.
	across := append(b.kept, p[:min(len(p), longest-1)]...)
	for _, bound := range b.bounds {
		if bytes.Contains(across, []byte(bound)) || bytes.Contains(p, []byte(bound)) {
			return 0, errBound
		}
	}
	if len(p) < longest {
		p = across
	}
	b.kept = append([]byte(nil), p[max(0, len(p)-longest+1):]...)
	return n, nil
}

// EightBit reports whether the mail needs 8BITMIME: RFC 6152.
func (d *Mail) EightBit() bool {
	return slices.ContainsFunc(d.Posts, func(p Post) bool { return p.form.NeedsEightBit() })
}

// encoding returns the Content-Transfer-Encoding of the part with the posts: RFC 2045,
// 6.4.
func (d *Mail) encoding() string { return compose.Form{EightBit: d.EightBit()}.Encoding() }

// Header returns the header of the mail, without the list's own fields and without the
// empty line.
func (d *Mail) Header() []byte {
	var b bytes.Buffer
	w := compose.To(&b)
	d.WriteTop(w)
	w.Field("Auto-Submitted", "auto-generated")
	w.Field("X-Auto-Response-Suppress", "All")
	for _, list := range d.Passed {
		w.Field("X-Loop", list)
	}
	w.Field("Content-Language", d.Text.Language)
	w.Field("MIME-Version", "1.0")
	w.Field("Content-Type", "multipart/mixed; boundary=\""+d.Bounds[0]+"\"")
	w.Field("Content-Transfer-Encoding", d.encoding())
	w.Flush()
	return b.Bytes()
}

// Body writes what follows the empty line.
func (d *Mail) Body(to io.Writer) error {
	w := compose.To(to)
	mail, digest := d.Bounds[0], d.Bounds[1]
	d.Quote = d.contents()
	w.First(mail)
	w.Text(d.Said())
	w.Next(mail)
	w.Field("Content-Type", "multipart/digest; boundary=\""+digest+"\"")
	w.Field("Content-Transfer-Encoding", d.encoding())
	for _, p := range d.Posts {
		w.Next(digest)
		if err := d.post(w, p); err != nil {
			return fmt.Errorf("post %d: %w", p.Number, err)
		}
	}
	w.End(digest)
	w.End(mail)
	return w.Flush()
}

// post writes one post, after the header fields of its part. In a digest, a part
// without such fields is a message/rfc822.
func (d *Mail) post(w *compose.Writer, p Post) error {
	f, _, err := d.From.Open(p.Number)
	if err != nil {
		return err
	}
	defer f.Close()
	if p.form.EightBit || p.form.Binary {
		w.Field("Content-Type", p.form.Type())
		w.Field("Content-Transfer-Encoding", p.form.Encoding())
	}
	if p.form.Binary {
		w.Field("Content-Disposition", fmt.Sprintf("attachment; filename=\"post-%d.eml\"", p.Number))
	}
	w.EndHeader()
	return w.Message(p.form, f)
}

// contents returns a table of contents: number and subject, with the author below.
func (d *Mail) contents() string {
	var b strings.Builder
	for _, p := range d.Posts {
		number := fmt.Sprintf("%d. ", p.Number)
		fmt.Fprintf(&b, "%s%s\n%*s%s\n", number, maillog.Line(p.Subject), len(number), "", maillog.Line(p.Author))
	}
	return b.String()
}
