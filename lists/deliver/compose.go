package deliver

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit"
	"superlist/lists/signature"
	"superlist/lists/site"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

// signerOf returns the signer of a site's mail; nil if mail is not signed.
func signerOf(s *site.Site) (*signature.Signer, error) {
	if s.DKIM.Domain == "" {
		return nil, nil
	}
	signer, err := signature.Open(s.DKIM.Domain, s.DKIM.Selector, s.DKIM.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("dkim.key_file: %w", err)
	}
	return signer, nil
}

// compose returns a function that turns a message of the spool into the message as it
// is sent; nil if they are the same.
func (r *Runner) compose(signer *signature.Signer) func(*queue.Message, smtp.Path) (*io.SectionReader, error) {
	leave := leaveLinks{r: r, made: make(map[string]*weblink.Leaver)}
	return func(m *queue.Message, to smtp.Path) (*io.SectionReader, error) {
		content := m.Content()
		if holes := holesOf(m); len(holes) > 0 {
			link, err := leave.link(m, to)
			if err != nil {
				return nil, err
			}
			content = edit.Filled(content, holes, link)
		}
		if signer == nil || m.Body == smtp.BinaryMIME {
			return content, nil
		}
		own, err := isOurs(content, m.List)
		if err != nil || !own {
			return content, err
		}
		field, err := signer.Sign(io.NewSectionReader(content, 0, content.Size()))
		if err != nil {
			return nil, err
		}
		return joined(strings.NewReader(field), content), nil
	}
}

// leaveLinks makes the addresses where recipients can leave lists. It opens a list once in
// a run: each of its members gets one.
type leaveLinks struct {
	r    *Runner
	mu   sync.Mutex
	made map[string]*weblink.Leaver
}

// link returns the address where a recipient of a message can leave the list that sends
// it.
func (k *leaveLinks) link(m *queue.Message, to smtp.Path) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	of := k.made[m.List.Key()]
	if of == nil {
		l, err := lists.Of(k.r.Site).Open(m.List)
		if err == nil {
			of, err = weblink.LeaverOf(k.r.Site, l)
		}
		if err != nil {
			return "", err
		}
		k.made[m.List.Key()] = of
	}
	return of.For(to, k.r.now()), nil
}

// isOurs reports whether a message is the list's own: a post, a digest, a letter. Mail
// that goes on to owners is as somebody wrote it, with any fields after the
// Delivered-To that toOwners adds, and is not signed by us.
func isOurs(content *io.SectionReader, list smtp.Path) (bool, error) {
	raw, _, err := rewrite.ReadHeader(io.NewSectionReader(content, 0, content.Size()))
	if err != nil {
		return false, err
	}
	h := rewrite.Parse(raw)
	toOwners := len(h) > 0 && h[0].Is("Delivered-To") && h[0].Value() != list.Address()
	return len(h.All("List-Id")) > 0 && !toOwners, nil
}

// joined is a text followed by a message.
func joined(front *strings.Reader, content *io.SectionReader) *io.SectionReader {
	return io.NewSectionReader(&pair{front, content}, 0, front.Size()+content.Size())
}

// A pair is two files that are read as one.
type pair struct {
	front *strings.Reader
	back  *io.SectionReader
}

func (p *pair) ReadAt(b []byte, off int64) (n int, err error) {
	if size := p.front.Size(); off < size {
		if n, err = p.front.ReadAt(b, off); n == len(b) || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		off = size
		b = b[n:]
	} else {
		n = 0
	}
	k, err := p.back.ReadAt(b, off-p.front.Size())
	return n + k, err
}
