package migrate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/pattern"
	"superlist/smtp"
)

// subscribers reads a database of addresses, DIR/subscribers: 53 files, @ to t, of
// addresses with a T in front and a NUL at the end.
func (z *ezmlm) subscribers(dir string, do func(address string)) (took int) {
	dir = path.Join(dir, "subscribers")
	names, err := z.list(dir)
	if err != nil {
		z.p.Report.leave(dir, err.Error(), "")
		return 0
	}
	for i, name := range names {
		z.step("reading "+dir, i, len(names))
		file := path.Join(dir, name)
		if len(name) != 1 || name[0] < '@' || name[0] > 't' {
			if !strings.HasSuffix(name, "n") { // one that was being written
				z.p.Report.leave(file, "no file of ezmlm's", "")
			}
			continue
		}
		f, _, err := z.open(file)
		if err != nil {
			z.p.Report.leave(file, err.Error(), "")
			continue
		}
		err = eachLine(f, 0, func(n int, record []byte, long bool) {
			address, ok := strings.CutPrefix(string(record), "T")
			_, bare := smtp.ParseAddress(address)
			if _, may := member(address); !ok || !bare || !may || long {
				z.p.Report.leaveLine(file, n, short(string(record))+" is not an address")
				return
			}
			do(address)
			took++
		})
		f.Close()
		if err != nil {
			z.p.Report.leave(file, err.Error(), "")
		}
	}
	return took
}

// maxPatterns is how many addresses go into list.toml, which every session reads.
const maxPatterns = 5000

func (z *ezmlm) members() error {
	r := &z.p.Report
	for _, file := range []string{"sql", "subdb"} {
		if line, there := z.line(file); there && (file == "sql" || !strings.HasPrefix(line, "std")) {
			r.leave(file, "the members are in a database", "ezmlm-list "+z.path+" > members.txt; superlist member import "+z.p.Addr.Address()+" members.txt")
		}
	}
	for _, kind := range []struct{ dir, word, as string }{
		{".", "", "%s"}, {"digest", wordDigest, "digest for %s"}, {"allow", wordNoMail, "nomail for %s, who may post and get nothing"},
	} {
		took := z.subscribers(kind.dir, func(address string) {
			m, _ := member(address, kind.word)
			z.p.Members.Add(m)
		})
		if took > 0 || kind.dir == "." {
			r.take(path.Join(kind.dir, "subscribers"), kind.as, count(took, "member"))
		}
	}
	if twice := z.p.Members.Join(unite); twice > 0 {
		r.take("subscribers, digest, allow", "%s stood there more than once; those with both each post and digests get each post", count(twice, "address"))
	}
	var mods, banned []smtp.Path
	collect := func(to *[]smtp.Path) func(string) {
		return func(address string) {
			if p, ok := smtp.ParseAddress(address); ok && len(*to) < maxPatterns {
				*to = append(*to, p)
			}
		}
	}
	tookMods := z.subscribers("mod", collect(&mods))
	if len(mods) > 0 {
		z.p.set("moderators", quoteAll(mods))
		r.take("mod/subscribers", "moderators = %s", clip(spell(mods)))
	}
	tookBans := 0
	if z.isDir("deny") {
		tookBans = z.subscribers("deny", collect(&banned))
	}
	if len(banned) > 0 {
		var patterns []string
		for _, p := range banned {
			patterns = append(patterns, quote(pattern.Of(p.Address())))
		}
		z.p.set("ban", "["+strings.Join(patterns, ", ")+"]")
		r.take("deny/subscribers", "ban, %s", count(len(banned), "address"))
	}
	if more := tookMods + tookBans - len(mods) - len(banned); more > 0 {
		r.leave("mod/subscribers, deny/subscribers", fmt.Sprintf("%d more addresses than a list has room for (%d)", more, maxPatterns), "a rule for a domain: rules, or ban = [\"example.net\"]")
	}
	return nil
}

// pending handles posts that wait for a moderator or for their authors. An incomplete
// post is not executable.
func (z *ezmlm) pending() error {
	took := 0
	for _, dir := range []string{"mod/pending", "mod/unconfirmed"} {
		files, err := z.files(dir)
		if err != nil {
			z.p.Report.leave(dir, err.Error(), "")
			continue
		}
		for _, file := range files {
			if !z.complete(file) {
				z.p.Report.leave(file, "it was not complete: its owner may not execute it", "")
				continue
			}
			z.p.Held = append(z.p.Held, z.stored(file))
			took++
		}
	}
	if took > 0 {
		z.p.heldIn = "mod/pending, mod/unconfirmed"
		z.p.Report.leave("mod/pending, mod/unconfirmed", "the letters about them are ezmlm's, and do nothing here", "superlist held ls "+z.p.Addr.Address())
	}
	return nil
}

// complete reports whether a message is complete: ezmlm(5).
func (z *ezmlm) complete(file string) bool {
	info, err := z.root.Lstat(file)
	return err == nil && info.Mode()&0o100 != 0
}

// stored returns a post that ezmlm-store has put aside: two lines of its own, with the
// return path and whom it waits for, and then the message. Its name begins with the
// time.
func (z *ezmlm) stored(file string) Post {
	p := z.post(file)
	seconds, _, _ := strings.Cut(path.Base(file), ".")
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil && n > 0 && n < 1<<33 {
		p.Arrived = time.Unix(n, 0)
	}
	own := func() (from string, rest *bufio.Reader, f io.Closer, err error) {
		file, _, err := z.open(file)
		if err != nil {
			return "", nil, nil, err
		}
		br := bufio.NewReaderSize(file, 4<<10)
		for _, name := range []string{"Return-Path: <", "Delivered-To: "} {
			begin, _ := br.Peek(len(name))
			if string(begin) != name {
				continue
			}
			line, err := br.ReadSlice('\n')
			if err != nil {
				file.Close()
				return "", nil, nil, errors.New("its first lines are too long")
			}
			if name == "Return-Path: <" {
				from = strings.TrimSuffix(strings.TrimSpace(string(line[len(name):])), ">")
			}
		}
		return from, br, file, nil
	}
	if from, _, f, err := own(); err == nil {
		f.Close()
		if _, ok := smtp.ParseAddress(from); ok {
			p.Head.From = from
		}
	}
	p.Open = func() (io.ReadCloser, error) {
		_, rest, f, err := own()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{rest, f}, nil
	}
	return p
}

// archive reads message 100m+n from archive/m/n.
func (z *ezmlm) archive() error {
	dirs, err := z.list("archive")
	if err != nil {
		z.p.Report.leave("archive", err.Error(), "")
		return nil
	}
	for i, dir := range dirs {
		z.step("looking at the archive", i, len(dirs))
		hundreds, err := strconv.Atoi(dir)
		if err != nil || hundreds < 0 || strconv.Itoa(hundreds) != dir {
			continue // authors, subjects, threads: derived from the posts
		}
		files, err := z.files(path.Join("archive", dir))
		if err != nil {
			z.p.Report.leave(path.Join("archive", dir), err.Error(), "")
			continue
		}
		for _, file := range files {
			name := path.Base(file)
			n, err := strconv.Atoi(name)
			switch {
			case name == "index" || name == "indexn":
			case err != nil || n < 0 || len(name) != 2 || hundreds+n == 0:
				z.p.Report.leave(file, "its name is not a number of a post", "")
			case !z.complete(file):
				z.p.Report.leave(file, "it was not complete: its owner may not execute it", "")
			default:
				post := z.post(file)
				post.Number = hundreds*100 + n
				z.p.Archive = append(z.p.Archive, post)
			}
		}
	}
	slices.SortFunc(z.p.Archive, func(a, b Post) int { return a.Number - b.Number })
	z.p.archiveIn = "archive"
	return nil
}
