package web

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"

	"superlist/lists/archive"
)

// What superlist-web shows besides the pages.

// ThreadURL returns the address of a post on its thread's pages, as far as it is known
// without searching for the post's place in the thread.
func (l *List) ThreadURL(e archive.Entry) string {
	return l.Base + threadPath(e.Thread, 1) + "#m" + strconv.Itoa(e.Number)
}

// Note returns a small page that says one thing, and names posts.
func (l *List) Note(text string, posts []archive.Entry) []byte {
	p := struct {
		page
		Text  string
		Posts []*item
	}{page: l.page("", l.words.Get(text)), Text: l.words.Get(text)}
	p.Canonical, p.Root = "", l.Base
	p.Crumbs = []link{{l.Base, l.Name}}
	for _, e := range posts {
		p.Posts = append(p.Posts, l.item(e, l.Base))
	}
	return render("note", p)
}

// Seen returns posts without what must no longer be shown of those that were removed: a
// crash may have left their lines in the index, and their files.
func (l *List) Seen(posts []archive.Entry) ([]archive.Entry, error) {
	removed, err := l.Posts.Removed()
	if err != nil || len(removed) == 0 {
		return posts, err
	}
	gone := make(map[int]bool)
	for _, r := range removed {
		gone[r.Number] = true
	}
	for i, e := range posts {
		if gone[e.Number] {
			posts[i] = unseen(e)
		}
	}
	return posts, nil
}

// unseen is a post of which nothing may be shown any more.
func unseen(e archive.Entry) archive.Entry {
	e.Removed, e.From, e.Subject, e.MessageID = true, "", "", ""
	return e
}

// rawURL returns where a post is as it was sent; empty if it is not available like
// that.
func (l *List) rawURL(e archive.Entry) string {
	if !l.Requests || l.MBox != MBoxFull || e.Removed {
		return ""
	}
	return l.Base + strconv.Itoa(e.Number) + "/raw"
}

// read returns a post as the archive has it. fs.ErrNotExist means that it is not there,
// or no longer.
func (l *List) read(e archive.Entry) ([]byte, error) {
	if e.Removed {
		return nil, &fs.PathError{Op: "read", Path: strconv.Itoa(e.Number), Err: fs.ErrNotExist}
	}
	f, _, err := l.Posts.Open(e.Number)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Message returns a post as web_mbox allows it, with LF lines.
func (l *List) Message(e archive.Entry) ([]byte, error) {
	raw, err := l.read(e)
	if err != nil {
		return nil, err
	}
	if l.MBox == MBoxFull {
		return []byte(strings.ReplaceAll(string(raw), "\r\n", "\n")), nil
	}
	var parent *archive.Entry
	if e.Parent != "" {
		list, err := l.Posts.ByMessageID(e.Parent)
		if err == nil {
			list, err = l.Seen(list)
		}
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			parent = &list[0]
		}
	}
	return l.veiled(e, raw, parent), nil
}

// threadOf returns the thread of a post.
func (l *List) threadOf(e archive.Entry) (*book, error) {
	list, err := l.Posts.Thread(e.Number)
	if err == nil {
		list, err = l.Seen(list)
	}
	return &book{entries: list}, err
}

// ThreadMBox returns the thread of a post as an mbox compressed with gzip, post by
// post.
func (l *List) ThreadMBox(e archive.Entry) (iter.Seq2[[]byte, error], error) {
	b, err := l.threadOf(e)
	if err != nil {
		return nil, err
	}
	return l.members(b), nil
}

// members returns the posts of a book as gzip members of an mbox.
func (l *List) members(b *book) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, e := range b.entries {
			raw, err := l.read(e)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(l.member(e, raw, b.answered(e, nil)), nil) {
				return
			}
		}
	}
}

// ThreadFeed returns the thread of a post as a feed, the newest posts first.
func (l *List) ThreadFeed(e archive.Entry) ([]byte, error) {
	b, err := l.threadOf(e)
	if err != nil {
		return nil, err
	}
	newest := slices.DeleteFunc(slices.Clone(b.entries), func(e archive.Entry) bool { return e.Removed })
	slices.Reverse(newest)
	newest = newest[:min(len(newest), inFeed)]
	return l.feed(strconv.Itoa(e.Thread)+"/t.atom", l.item(b.entries[0], "").Subject+" · "+l.Name, newest, l.inFeed)
}

// Attachment returns a part of a post, and a file name that its author has not chosen.
// fs.ErrNotExist means that there is no such part, or that it may not be seen.
func (l *List) Attachment(e archive.Entry, n int) (content []byte, name string, err error) {
	raw, err := l.read(e)
	if err != nil {
		return nil, "", err
	}
	list, _ := partsOf(raw)
	if n > len(list) || !l.offered(list[n-1]) {
		return nil, "", &fs.PathError{Op: "read", Path: strconv.Itoa(e.Number), Err: fs.ErrNotExist}
	}
	p := list[n-1]
	content = p.Content()
	if l.MBox != MBoxFull && strings.HasPrefix(p.Type, "text/") {
		text, _ := p.Text()
		content = []byte(l.veil(text))
	}
	return content, "post-" + strconv.Itoa(e.Number) + "-part-" + strconv.Itoa(n) + extension(p.Type), nil
}

// offered reports whether a part may be fetched. If addresses are veiled, parts whose
// addresses cannot all be found are not offered.
func (l *List) offered(p part) bool {
	return l.MBox == MBoxFull || l.MBox == MBoxVeiled && !strings.HasPrefix(p.Type, "message/") && p.Type != "text/vcard" && p.Type != "text/calendar"
}

// extension returns a file name extension, for types that cannot be executed.
func extension(kind string) string {
	switch kind {
	case "application/pdf":
		return ".pdf"
	case "application/zip":
		return ".zip"
	case "application/gzip", "application/x-gzip":
		return ".gz"
	case "image/png":
		return ".png"
	case "image/jpeg":
		return ".jpg"
	case "image/gif":
		return ".gif"
	case "image/webp":
		return ".webp"
	case "text/plain":
		return ".txt"
	case "text/x-patch", "text/x-diff":
		return ".patch"
	case "text/csv":
		return ".csv"
	case "application/pgp-signature":
		return ".asc"
	}
	return ".bin"
}

// partHref returns a function for the address of a part of a post; nil if parts are not
// offered.
func (l *List) partHref(n int) func(p part) string {
	if !l.Requests || l.MBox == MBoxOff {
		return nil
	}
	return func(p part) string {
		if !l.offered(p) {
			return ""
		}
		return l.Base + strconv.Itoa(n) + "/part/" + strconv.Itoa(p.Number)
	}
}
