package letter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"superlist/lists/maillog"
)

// A Digest is many posts of a list in one mail: a text of the list's that says
// what they are, and behind it a multipart/digest (RFC 2046, 5.1.5) with each post
// as it was sent, to the byte. No more of a post is in memory than a buffer.
//
// Look comes first, then Header, then Body.
type Digest struct {
	Letter           // without Quote, Attach, ReplyTo, Answers
	Posts  []Post    // those that Look does not find are left out
	From   Archive   // where they are
	Passed []string  // addresses of the lists that the posts have come through in digests
	Bounds [2]string // words that nobody could know who wrote one of the posts
}

// A Post is one of a digest.
type Post struct {
	Number          int
	Author, Subject string // as people read them
	form            form
}

// An Archive has posts by their number; it is closed by whoever opens it, and
// fs.ErrNotExist says that it is there no more.
type Archive interface {
	Open(n int) (f *os.File, size int64, err error)
}

// A form is how a post can stand in a mail.
type form byte

const (
	sevenBit form = iota
	eightBit
	global // its header is beyond ASCII, so it is not a message/rfc822: RFC 6532, 3.7
	binary // it is not lines, and a message may not be encoded: RFC 2046, 5.2.1
)

// errBound is a post that has in it what nobody could know. Asking the same again
// is of no use, and nobody can bring it about.
var errBound = errors.New("a post has the word in it that is to part it from the next one")

// Look reads all posts once, to see how they can stand in a mail.
func (d *Digest) Look() error {
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
func (d *Digest) look(post io.Reader) (form, error) {
	var high, headerHigh, body, odd bool
	line, last := 0, byte('\n') // how long the line is so far, and the byte before
	overlap := max(len(d.Bounds[0]), len(d.Bounds[1])) - 1
	buf := make([]byte, 64<<10)
	kept := 0 // bytes at the front of buf that were seen before
	for {
		n, err := post.Read(buf[kept:])
		for _, c := range buf[kept : kept+n] {
			switch {
			case c == 0, c == '\n' && last != '\r', c != '\n' && last == '\r':
				odd = true
			case c >= 0x80:
				high, headerHigh = true, headerHigh || !body
			}
			switch c {
			case '\n':
				body = body || line == 0
				line = 0
			case '\r':
			default:
				line++
			}
			last = c
		}
		seen := buf[:kept+n]
		for _, bound := range d.Bounds {
			if bytes.Contains(seen, []byte(bound)) {
				return 0, errBound
			}
		}
		kept = copy(buf, seen[max(0, len(seen)-overlap):])
		switch {
		case err == io.EOF && (odd || last == '\r'):
			return binary, nil
		case err == io.EOF && headerHigh:
			return global, nil
		case err == io.EOF && high:
			return eightBit, nil
		case err == io.EOF:
			return sevenBit, nil
		case err != nil:
			return 0, err
		}
	}
}

// EightBit says that the mail can go by 8BITMIME alone: RFC 6152.
func (d *Digest) EightBit() bool {
	for _, p := range d.Posts {
		if p.form == eightBit || p.form == global {
			return true
		}
	}
	return false
}

// encoding is the Content-Transfer-Encoding of what has the posts in it: RFC 2045,
// 6.4.
func (d *Digest) encoding() string {
	if d.EightBit() {
		return "8bit"
	}
	return "7bit"
}

// Header is the header of the mail, without the list's own fields and without
// the empty line.
func (d *Digest) Header() []byte {
	var b bytes.Buffer
	put := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	put("From", encoded(quoted(d.Name), d.Name)+" <"+d.Letter.From.Address()+">")
	put("To", addresses(d.To))
	subject := maillog.Line(d.fill(d.Text.Subject))
	put("Subject", encoded(subject, subject))
	put("Date", d.Date.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	put("Message-ID", "<"+d.ID+"@"+d.Host+">")
	put("Auto-Submitted", "auto-generated")
	put("X-Auto-Response-Suppress", "All")
	for _, list := range d.Passed {
		put("X-Loop", list)
	}
	put("Content-Language", d.Text.Language)
	put("MIME-Version", "1.0")
	put("Content-Type", "multipart/mixed; boundary=\""+d.Bounds[0]+"\"")
	put("Content-Transfer-Encoding", d.encoding())
	return b.Bytes()
}

// Body writes what follows the empty line.
func (d *Digest) Body(to io.Writer) error {
	w := bufio.NewWriterSize(to, 64<<10)
	mail, digest := d.Bounds[0], d.Bounds[1]
	d.Quote = d.contents()
	fmt.Fprintf(w, "--%s\r\n%s", mail, d.text())
	fmt.Fprintf(w, "\r\n--%s\r\nContent-Type: multipart/digest; boundary=\"%s\"\r\nContent-Transfer-Encoding: %s\r\n", mail, digest, d.encoding())
	for _, p := range d.Posts {
		fmt.Fprintf(w, "\r\n--%s\r\n", digest)
		if err := d.post(w, p); err != nil {
			return fmt.Errorf("post %d: %w", p.Number, err)
		}
	}
	fmt.Fprintf(w, "\r\n--%s--\r\n\r\n--%s--\r\n", digest, mail)
	return w.Flush()
}

// post writes one post, and in front of it what has to be said of it: in a digest
// what says nothing is a message/rfc822.
func (d *Digest) post(w io.Writer, p Post) error {
	f, _, err := d.From.Open(p.Number)
	if err != nil {
		return err
	}
	defer f.Close()
	header, put := "", io.Copy
	switch p.form {
	case eightBit:
		header = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
	case global:
		header = "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n"
	case binary:
		header = fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"+
			"Content-Disposition: attachment; filename=\"post-%d.eml\"\r\n", p.Number)
		put = copyBase64
	}
	if _, err := io.WriteString(w, header+"\r\n"); err != nil {
		return err
	}
	_, err = put(w, f)
	return err
}

// contents are the posts, in lines: number and subject, and below it the author.
func (d *Digest) contents() string {
	var b strings.Builder
	for _, p := range d.Posts {
		number := fmt.Sprintf("%d. ", p.Number)
		fmt.Fprintf(&b, "%s%s\n%*s%s\n", number, maillog.Line(p.Subject), len(number), "", maillog.Line(p.Author))
	}
	return b.String()
}
