package migrate

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/edit"
	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/queue/disk"
	"superlist/smtp"
)

// ErrParcel means that a tar is not one of ours, or was cut off.
var ErrParcel = errors.New("this is not a list that superlist export wrote, or not all of one")

// maxReport is the largest manifest or report, in bytes: it lists all lines that a
// large list can have wrong.
const maxReport = 64 << 20

// A Target is where a parcel goes.
type Target struct {
	Site   *site.Site
	As     smtp.Path   // the address of the new list; null: the one it had
	Into   *lists.List // a list that only gets the members; nil: a new list
	Again  bool        // with Into: also those who have left that list
	DryRun bool        // change nothing; the report says what would happen

	// Step, if set, is told the progress. total is 0 if unknown.
	Step func(what string, done, total int)
}

// Receive makes a list of a parcel. Its error is fs.ErrExist if the list already
// exists, and ErrParcel, a *config.Error or a *lists.InputError if the parcel is to
// blame. After an error nothing has changed.
func (t Target) Receive(r io.Reader) (Report, error) {
	in := &receiving{Target: t, tar: tar.NewReader(r)}
	defer in.end()
	if t.DryRun && t.Into == nil {
		// Do everything elsewhere, so that what would go wrong does.
		dir, err := t.Site.Disk.MakeTemp(os.TempDir(), "superlist-")
		if err != nil {
			return Report{}, err
		}
		defer disk.DiscardAll(dir)
		site := *t.Site
		site.ListsDir = dir
		in.site = &site
	} else {
		in.site = t.Site
	}
	if err := in.all(); err != nil {
		return Report{}, err
	}
	in.report.End()
	if in.list == nil || t.DryRun {
		return in.report, nil
	}
	if in.posts != nil {
		err := in.posts.Close()
		in.posts = nil
		if err != nil {
			return Report{}, err
		}
	}
	if in.moved.Len() > 0 {
		if err := in.list.Put(web.MovedMap, in.moved.Bytes()); err != nil {
			return Report{}, err
		}
	}
	_, err := in.list.Publish()
	if err == nil {
		err = in.awaken()
	}
	return in.report, err
}

type receiving struct {
	Target
	site    *site.Site
	tar     *tar.Reader
	head    manifest
	addr    smtp.Path
	list    *edit.NewList   // nil with Into
	posts   *archive.Import // nil before the first
	moved   bytes.Buffer    // web.MovedMap, of lists that HyperKitty has shown
	bounces int             // addresses about which something is known
	report  Report          // what this side reports; in the end, everything
}

func (in *receiving) end() {
	if in.posts != nil {
		in.posts.Close()
	}
	if in.list != nil {
		in.list.Abort()
	}
}

func (in *receiving) step(what string, done, total int) {
	if in.Step != nil {
		in.Step(what, done, total)
	}
}

// order returns the position of a name in the tar; 0 for one that does not belong
// there.
func order(name string) int {
	for i, known := range []string{fileManifest, fileConfig, fileRules, fileTexts, fileKey, fileLeft, fileMembers, fileBouncing, dirHeld, dirArchive, fileReport} {
		if name == known && !strings.HasSuffix(known, "/") || strings.HasSuffix(known, "/") && strings.HasPrefix(name, known) {
			return i + 1
		}
	}
	return 0
}

func (in *receiving) all() error {
	last := 0
	for {
		h, err := in.tar.Next()
		if err == io.EOF && last == order(fileReport) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrParcel, err)
		}
		at := order(h.Name)
		many := at == order(dirHeld) || at == order(dirArchive)
		if h.Typeflag != tar.TypeReg || at == 0 || at < last || at == last && !many ||
			last == 0 && at != order(fileManifest) || last < order(fileConfig) && at > order(fileConfig) {
			return fmt.Errorf("%w: %q in it does not belong there", ErrParcel, h.Name)
		}
		last = at
		if err := in.one(h); err != nil {
			return err
		}
	}
}

func (in *receiving) one(h *tar.Header) error {
	switch {
	case h.Name == fileManifest:
		return in.manifest(h)
	case h.Name == fileConfig:
		return in.config(h)
	case h.Name == fileMembers:
		return in.members()
	case h.Name == fileReport:
		return in.reported(h)
	case in.Into != nil:
		return nil
	case h.Name == fileBouncing:
		if h.Size > maxBouncing {
			return fmt.Errorf("%w: %s has %d bytes", ErrParcel, h.Name, h.Size)
		}
		return in.bouncing(in.tar)
	case strings.HasPrefix(h.Name, dirHeld):
		return in.held(h)
	case strings.HasPrefix(h.Name, dirArchive):
		return in.archive(h)
	}
	max := int64(maxControl)
	if h.Name == fileLeft {
		max = maxLeft
	}
	content, err := in.small(h, max)
	if err != nil {
		return err
	}
	return in.list.Put(h.Name, content)
}

// small reads a file that describes the list.
func (in *receiving) small(h *tar.Header, max int64) ([]byte, error) {
	if h.Size > max {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrParcel, h.Name, h.Size)
	}
	content, err := io.ReadAll(in.tar)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParcel, err)
	}
	return content, nil
}

func (in *receiving) manifest(h *tar.Header) error {
	text, err := in.small(h, maxReport)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &in.head); err != nil {
		return fmt.Errorf("%w: %w", ErrParcel, err)
	}
	if in.head.Format != format {
		return fmt.Errorf("%w: its format is %d, and this version reads %d", ErrParcel, in.head.Format, format)
	}
	var ok bool
	if in.addr, ok = smtp.ParseAddress(in.head.List); !ok {
		return fmt.Errorf("%w: %q is not an address", ErrParcel, in.head.List)
	}
	if !in.As.IsNull() {
		in.addr = in.As
	}
	if in.Into != nil {
		in.addr = in.Into.Addr
	}
	return nil
}

func (in *receiving) config(h *tar.Header) error {
	text, err := in.small(h, maxControl)
	if err != nil || in.Into != nil {
		return err
	}
	if dir, err := lists.Of(in.Target.Site).Dir(in.addr); err == nil {
		if _, err := os.Lstat(dir); err == nil {
			return &fs.PathError{Op: "create", Path: dir, Err: fs.ErrExist}
		}
	}
	kept, taken := edit.FreeAliases(lists.Of(in.Target.Site), in.addr, string(text))
	for _, alias := range taken {
		in.report.leave("list.toml: aliases: "+alias, "it is a list here already, or another address of one", "superlist list set "+in.addr.Address()+" aliases=… once that is gone")
	}
	in.list, err = edit.Begin(lists.Of(in.site), in.addr, kept)
	return err
}

// tarContent is a file of a tar. Its errors are the tar's, and not those of this host's
// disk.
type tarContent struct{ *tar.Reader }

func (c tarContent) Read(p []byte) (n int, err error) {
	if n, err = c.Reader.Read(p); err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrParcel, err)
	}
	return n, err
}

func (in *receiving) archive(h *tar.Header) (err error) {
	number, err := strconv.Atoi(strings.TrimPrefix(h.Name, dirArchive))
	if err != nil || number < 1 {
		return fmt.Errorf("%w: %q in it does not belong there", ErrParcel, h.Name)
	}
	in.step("posts of the archive", in.report.Archive, in.head.Archive)
	if in.DryRun {
		in.report.Archive++
		return nil
	}
	if in.posts == nil {
		posts := in.list.Posts()
		posts.Words = charset.Words
		if in.posts, err = posts.Import(); err != nil {
			return err
		}
	}
	var head Head
	if text := h.PAXRecords[recordHead]; text != "" && json.Unmarshal([]byte(text), &head) != nil {
		return fmt.Errorf("%w: what belongs to %s cannot be read", ErrParcel, h.Name)
	}
	if h.ModTime.Before(time.Unix(1, 0)) {
		h.ModTime = time.Now()
	}
	var header rewrite.Scanner
	content := io.TeeReader(tarContent{in.tar}, &header)
	err = in.posts.Add(number, archive.Post{ID: head.ID, Time: h.ModTime, RequireTLS: head.RequireTLS, Content: content, Removed: head.Removed})
	if errors.Is(err, archive.ErrNumber) || errors.Is(err, archive.ErrRemoved) {
		in.report.leave(h.Name, err.Error(), "")
		return nil
	}
	if err != nil {
		return err
	}
	in.report.Archive++
	if fields, _ := header.Header(); strings.HasPrefix(in.head.From, fromMailman) && fields.Get("Message-ID") != "" {
		in.moved.WriteString(web.MovedLine(fields.Get("Message-ID"), number))
	}
	return nil
}

// reported combines the reports of both sides.
func (in *receiving) reported(h *tar.Header) error {
	text, err := in.small(h, maxReport)
	if err != nil {
		return err
	}
	there := Report{}
	if err := json.Unmarshal(text, &there); err != nil {
		return fmt.Errorf("%w: %w", ErrParcel, err)
	}
	here := in.report
	there.List, there.From, there.DryRun = in.addr.Address(), in.head.From, in.DryRun
	there.Members, there.There, there.Held, there.Archive = here.Members, here.There, here.Held, here.Archive
	there.Left, there.named = append(there.Left, here.Left...), here.named
	if in.Into != nil {
		there.Taken = nil
		there.Left = append([]Left{{"everything but the members", "only they were wanted", "leave out --into, and a list is made"}}, there.Left...)
	}
	in.report = there
	return nil
}
