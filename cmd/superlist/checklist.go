package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/backup"
	"superlist/lists/config"
	"superlist/lists/copies"
	"superlist/lists/edit"
	"superlist/lists/letter"
	"superlist/lists/members"
	"superlist/lists/policy"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// lists checks every list, and the domains of all.
func (k *checker) lists() {
	defer lists.Of(k.site).ReadAhead()()
	domains := map[string]bool{}
	n := 0
	p, of := newProgress(), lists.Of(k.site).Count()
	defer p.end()
	err := lists.Of(k.site).All(func(addr smtp.Path, l *lists.List, err error) bool {
		p.step("lists", n, of)
		n++
		domains[addr.Domain] = true
		k.found = append(k.found, addr)
		if err != nil {
			mend := k.deferred(err)
			if wrong := new(config.Error); errors.As(err, &wrong) && wrong.Key != "" {
				mend = fix(wrong) + "; " + mend
			}
			k.wrong(addr.Address(), err.Error(), mend)
			return true
		}
		k.list(l)
		return true
	})
	if dir := backup.Unfinished(k.site); dir != "" {
		k.wrong("lists_dir", "the restore of "+dir+" was cut short, so some lists are not there yet", "superlist restore "+dir+" goes on with it")
	}
	k.errands()
	var wrong *config.Error
	switch err := edit.CheckDefaults(lists.Of(k.site)); {
	case errors.As(err, &wrong):
		k.wrong(edit.DefaultsFile, wrong.Error(), fix(wrong)+"; no list can be created until then")
	case err != nil:
		k.wrong(edit.DefaultsFile, err.Error(), k.mend(err, k.site.ListsDir))
	}
	if strays, err := lists.Of(k.site).Strays(); err == nil {
		for _, dir := range strays {
			k.wrong("lists_dir", dir+" is not a list: its name is not a valid list address",
				fmt.Sprintf("give it a name of small letters, digits and ._- without %q, and its domain as the DNS has it", k.site.RecipientDelimiter))
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.wrong("lists_dir", k.site.ListsDir+" is not there, so all posts are deferred", "mount its disk, or if there never was one: "+k.install(k.site.ListsDir))
	case err != nil:
		k.wrong("lists_dir", err.Error(), k.mend(err, k.site.ListsDir))
	case n == 0:
		k.warn("lists", "there are none yet", "superlist list create NAME@DOMAIN --owner YOU")
	}
	for domain := range domains {
		k.domain(domain)
	}
	k.reach("lists_dir", k.site.ListsDir, false)
	k.room("lists_dir", k.site.ListsDir)
}

// deferred says what an error about a list's file leads to, and, if permissions are the
// cause, how to change them.
func (k *checker) deferred(err error) string {
	text := "posts to it are deferred until this is fixed"
	if errors.Is(err, fs.ErrPermission) {
		text += ": " + k.mend(err, k.site.ListsDir)
	}
	return text
}

func (k *checker) list(l *lists.List) {
	about := l.Addr.Address()
	if len(l.Owners) == 0 {
		k.wrong(about, "has no owners, so mail to "+l.Verb("owner").Address()+" fails", "superlist list set "+about+" owners=YOU")
	}
	if err := l.CheckOwners(); err != nil {
		k.wrong(about, err.Error(), "superlist list set "+about+" owners=YOU")
	}
	for _, alias := range l.Dangling() {
		k.wrong(about, alias.Address()+" is in aliases but does not lead here, as after an edit by hand", "superlist list set "+about+" aliases="+strings.Join(l.Aliases, ","))
	}
	if l.NeedsQuotes() {
		k.warn(about, "has a name that needs quotes, which most mail programs cannot write", "superlist list mv "+about+" ANOTHER")
	}
	switch l.State {
	case lists.StateSuspended:
		k.warn(about, "is suspended: every post is answered 450", "superlist list resume "+about)
	case lists.StateHeld:
		k.warn(about, "is suspended: every post is held for a moderator", "superlist list resume "+about)
	}
	m, err := l.Members()
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	defer m.Close()
	if err := unix.Access(l.Dir, unix.W_OK); err != nil {
		k.wrong(about, fmt.Sprintf("%s: %v", l.Dir, err), k.mend(err, l.Dir))
	}
	k.reach(about, l.Dir, k.alone)
	if err := copies.CheckFooter(l); err != nil {
		k.wrong(about, err.Error(), "fix footer_file; posts are deferred until then")
	}
	if l.OneClick != lists.OneClickOff && weblink.URL(k.site, l, weblink.Leave, "") == "" {
		k.warn(about, "one_click does nothing without pages that answer: [web] requests in "+k.site.File()+", and a url that begins with https", "see docs/web.md, or superlist list set "+about+" one_click=off")
	}
	if l.DMARC == lists.DMARCReject && k.site.DNS() == "" {
		k.warn(about, "dmarc is reject, and without a resolver in "+k.site.File()+" a session asks nobody: such posts wait for a moderator", "set resolver to ip:port")
	}
	if _, err := letter.Own(l.Dir); err != nil {
		k.warn(about, err.Error(), "the built-in texts are sent instead")
	}
	if err := policy.Of(l).CheckRules(); err != nil {
		k.wrong(about, err.Error(), "fix that line; posts are deferred until then")
	}
	k.archive(l)
	k.pages(l)
	k.bounces(l)
	if l.MaxMessageSize > k.site.MaxMessageSize {
		k.warn(about, fmt.Sprintf("max_message_size is %s, and the site takes %s", l.MaxMessageSize, k.site.MaxMessageSize), "raise the site's or lower the list's")
	}
	wrong, inOrder, err := m.Lint()
	if err != nil {
		k.wrong(about, err.Error(), "check again")
		return
	}
	for i, line := range wrong {
		if i == maxBadLines {
			k.warn(about, fmt.Sprintf("%d more lines like that", len(wrong)-i), "")
			break
		}
		k.warn(about, line, "fix the line by hand")
	}
	if !inOrder {
		k.warn(about, "members is not in order, so each look-up reads it through", "any superlist member add or rm puts it in order")
	}
	if l.Digest == lists.DigestOff {
		if n := inDigests(m); n > 0 {
			k.warn(about, fmt.Sprintf("%d of its members want digests, and it sends none", n), "they get each post; superlist list set "+l.Addr.Address()+" digest=daily")
		}
	}
	if _, err := os.Stat(l.Dir + "/key"); err == nil { // otherwise one would be made
		if _, err := l.BounceAddress(time.Now()); err != nil {
			k.wrong(about, err.Error(), k.deferred(err))
		}
	}
	for _, file := range []string{"list.toml", "members", "key"} {
		if !k.inReach(l.Dir + "/" + file) {
			k.wrong(about, l.Dir+"/"+file+" leads out of "+k.site.ListsDir+", so sessions cannot read it", "move it there, or mount it there with mount --bind")
		}
		if info, err := os.Stat(l.Dir + "/" + file); err == nil && info.Mode().Perm()&0o007 != 0 {
			k.warn(about, fmt.Sprintf("%s/%s is open to everybody (%v)", l.Dir, file, info.Mode().Perm()), "chmod o= it")
		}
	}
	if n, err := l.CountMembers(); err == nil && n == 0 {
		k.warn(about, "has no members, so nobody gets its posts", "superlist member add "+about+" ADDRESS")
	} else if err == nil {
		k.ok(about, "%s, post = %s", plural(n, "member"), l.Post)
	}
}

// inDigests counts the members who want digests.
func inDigests(m *members.File) (n int) {
	for member, err := range m.All() {
		if err == nil && member.Delivery() == members.InDigests {
			n++
		}
	}
	return n
}

// archive checks that a list's posts and their index agree.
func (k *checker) archive(l *lists.List) {
	about := l.Addr.Address()
	faults, err := l.Posts().Check(maxBadLines + 1)
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	for i, f := range faults {
		if i == maxBadLines {
			k.wrong(about, "archive: there are more such faults", "")
			break
		}
		text := "archive: " + f.Text
		if f.Number > 0 {
			text = fmt.Sprintf("archive: post %d: %s", f.Number, f.Text)
		}
		k.wrong(about, text, "superlist archive rebuild "+about)
	}
}
