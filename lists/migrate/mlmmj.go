package migrate

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/pattern"
	"superlist/smtp"
)

// Mlmmj reads a list directory of mlmmj, 1.3 to 1.5. As in its TUNABLES, a control file
// counts by its existence, its first line, its lines, or as a whole.
func Mlmmj(dir string, o Options) (*Parcel, error) {
	d, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	if !d.isDir("control") || !d.isDir("subscribers.d") {
		d.root.Close()
		return nil, fmt.Errorf("%s: %w: it has no control and subscribers.d in it", dir, ErrNotThis)
	}
	m := &mlmmj{folder: d, Options: o, p: &Parcel{From: "mlmmj, " + dir, folder: d}}
	for _, step := range []func() error{m.control, m.members, m.moderation, m.archive, m.rest, m.p.seal} {
		if err := step(); err != nil {
			m.p.Close()
			return nil, err
		}
	}
	return m.p, nil
}

type mlmmj struct {
	*folder
	Options
	p    *Parcel
	seen []string // control files that have been handled
}

// text returns a whole control file; false if there is none.
func (m *mlmmj) text(name string) (string, bool) {
	m.seen = append(m.seen, name)
	name = path.Join("control", name)
	if !m.has(name) {
		return "", false
	}
	text, err := m.read(name)
	if err != nil {
		m.p.Report.leave(name, err.Error(), "")
		return "", false
	}
	return string(text), true
}

// is reports whether a control file exists.
func (m *mlmmj) is(name string) bool {
	m.seen = append(m.seen, name)
	return m.has(path.Join("control", name))
}

// lines returns the lines of a control file that are not empty.
func (m *mlmmj) lines(name string) (lines []string, there bool) {
	text, there := m.text(name)
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, there
}

// addresses returns the lines of a control file that are addresses.
func (m *mlmmj) addresses(name string) (paths []smtp.Path) {
	lines, _ := m.lines(name)
	for n, line := range lines {
		p, ok := smtp.ParseAddress(line)
		if !ok {
			m.p.Report.leaveLine("control/"+name, n+1, short(line)+" is not an address")
			continue
		}
		paths = append(paths, p)
	}
	return paths
}

func (m *mlmmj) control() error {
	r := &m.p.Report
	addresses := m.addresses("listaddress")
	switch {
	case !m.As.IsNull():
		m.p.Addr = m.As
	case len(addresses) == 0:
		return errNoAddress
	default:
		m.p.Addr = addresses[0]
	}
	for i, a := range addresses {
		if i > 0 || !m.As.IsNull() {
			r.leave("control/listaddress", a.Address()+" was an address of the list too",
				"have Postfix know it as an alias: virtual_alias_maps, "+a.Address()+" "+m.p.Addr.Address())
		}
	}
	m.p.Owners = m.addresses("owner")
	if len(m.p.Owners) > 0 {
		r.take("control/owner", "owners = %s", spell(m.p.Owners))
	}
	if len(m.Owners) > 0 {
		m.p.Owners = m.Owners
	}
	if len(m.p.Owners) == 0 {
		return errNoOwner
	}
	if mods := m.addresses("moderators"); len(mods) > 0 {
		m.p.set("moderators", quoteAll(mods))
		r.take("control/moderators", "moderators = %s", spell(mods))
	}
	m.subscription()
	m.posting()
	m.size()
	m.keeping()
	if send := m.addresses("send"); len(send) > 0 {
		for _, a := range send {
			pattern := pattern.Of(a.Address())
			m.p.rules = append(m.p.rules, "accept From: "+pattern, `accept From: *<`+pattern+`>`)
		}
		r.take("control/send", "%s of the file rules, for %s", count(2*len(send), "line"), count(len(send), "author"))
	}
	if text, there := m.text("access"); there {
		m.p.access(text)
	}
	m.delimiter()
	m.others()
	return nil
}

// subscription handles who may become a member, and how.
func (m *mlmmj) subscription() {
	r := &m.p.Report
	closed, closedSub, open := m.is("closedlist"), m.is("closedlistsub"), m.is("nosubconfirm")
	approvers, submod := m.lines("submod")
	how := lists.SubscribeConfirm
	switch {
	case closed || closedSub:
		how = lists.SubscribeClosed
	case submod && open:
		how = lists.SubscribeApprove
	case submod:
		how = lists.SubscribeConfirmApprove
	case open:
		how = lists.SubscribeOpen
	}
	m.p.set("subscribe", quote(how))
	var because []string
	for _, b := range []struct {
		is   bool
		name string
	}{{closed, "closedlist"}, {closedSub, "closedlistsub"}, {submod, "submod"}, {open, "nosubconfirm"}} {
		if b.is {
			because = append(because, "control/"+b.name)
		}
	}
	if len(because) == 0 {
		because = []string{"(no control/closedlist, submod, nosubconfirm)"}
	}
	r.take(strings.Join(because, ", "), "subscribe = %s", how)
	if closed {
		r.leave("control/closedlist", "members could not leave by mail; here they can", "")
	}
	for _, a := range approvers {
		p, ok := smtp.ParseAddress(a)
		if !ok || !slices.ContainsFunc(m.p.Owners, func(o smtp.Path) bool { return o.Key() == p.Key() }) {
			r.leave("control/submod", short(a)+" decided who may become a member; here the owners do", "superlist list set "+m.p.Addr.Address()+" owners=…")
		}
	}
	notify := m.is("notifysub")
	m.p.set("notify", strconv.FormatBool(notify))
	if notify {
		r.take("control/notifysub", "notify = true")
	} else {
		r.take("(no control/notifysub)", "notify = false")
	}
}

// posting handles who may post, and who sees posts first.
func (m *mlmmj) posting() {
	r := &m.p.Report
	subonly, modonly, modnonsub, moderated := m.is("subonlypost"), m.is("modonlypost"), m.is("modnonsubposts"), m.is("moderated")
	post, nonmembers := lists.PostAnyone, ""
	switch {
	case modonly && modnonsub: // everybody may, and a moderator sees it
		r.take("control/modonlypost, control/modnonsubposts", "post = anyone, moderated = true")
		moderated = true
	case modonly:
		post = lists.PostModerators
		r.take("control/modonlypost", "post = moderators; where nothing proves that From is one, they are asked")
	case modnonsub:
		post, nonmembers = lists.PostMembers, lists.NonmembersHold
		r.take("control/modnonsubposts", "post = members, nonmembers = hold")
	case subonly:
		post, nonmembers = lists.PostMembers, lists.NonmembersReject
		r.take("control/subonlypost", "post = members, nonmembers = reject")
	default:
		r.take("(no control/subonlypost, modonlypost, modnonsubposts)", "post = anyone")
	}
	m.p.set("post", quote(post))
	if nonmembers != "" {
		m.p.set("nonmembers", quote(nonmembers))
	}
	if moderated {
		m.p.set("moderated", "true")
		if m.is("moderated") {
			r.take("control/moderated", "moderated = true")
		}
	}
	named := !m.is("tocc")
	m.p.set("must_be_named", strconv.FormatBool(named))
	if named {
		r.take("(no control/tocc)", "must_be_named = true")
	} else {
		r.take("control/tocc", "must_be_named = false")
	}
}

// size handles how large a post may be.
func (m *mlmmj) size() {
	lines, there := m.lines("maxmailsize")
	const key = "max_message_size"
	if !there {
		m.p.Report.leave("(no control/maxmailsize)", "the list took posts of any size, and here it takes what new lists do",
			"superlist list set "+m.p.Addr.Address()+" "+key+"=10MiB")
		return
	}
	n := -1
	if len(lines) > 0 {
		n, _ = strconv.Atoi(lines[0])
	}
	if n < 1<<10 {
		m.p.Report.leave("control/maxmailsize", "it must be at least 1024 here", "superlist list set "+m.p.Addr.Address()+" "+key+"=…")
		return
	}
	m.p.set(key, strconv.Itoa(n))
	m.p.Report.take("control/maxmailsize", "%s = %v", key, config.Size(n))
}

// keeping handles whether posts are kept, and who may request them.
func (m *mlmmj) keeping() {
	kept, access, because := !m.is("noarchive"), lists.ArchiveAnyone, "(no control/noget, subonlyget)"
	if m.is("subonlyget") {
		access, because = lists.ArchiveMembers, "control/subonlyget"
	}
	if m.is("noget") {
		access, because = lists.ArchiveNobody, "control/noget"
	}
	m.p.set("archive", strconv.FormatBool(kept))
	m.p.set("archive_access", quote(access))
	if !kept {
		m.p.Report.take("control/noarchive", "archive = false")
	}
	m.p.Report.take(because, "archive_access = %s", access)
}

// delimiter handles what separates a list's name from a verb.
func (m *mlmmj) delimiter() {
	lines, _ := m.lines("delimiter")
	if len(lines) == 0 || lines[0] == "+" {
		return
	}
	m.p.Report.leave("control/delimiter", "its addresses were written "+short(m.p.Addr.Local+lines[0]+"subscribe"),
		"recipient_delimiter of superlist.toml is one for all lists")
}

// moderation reads posts that wait for a moderator, named by their cookies, and people
// who wait for an owner.
func (m *mlmmj) moderation() error {
	files, err := m.files("moderation")
	if err != nil {
		m.p.Report.leave("moderation", err.Error(), "")
		return nil
	}
	took := 0
	for _, file := range files {
		name := path.Base(file)
		if strings.HasPrefix(name, "subscribe") {
			text, err := m.read(file)
			who, _, _ := strings.Cut(string(text), "\n")
			if err != nil {
				who = file
			}
			m.p.Report.leave(file, short(who)+" waits for an owner to let them in",
				"superlist member add "+m.p.Addr.Address()+" ADDRESS")
			continue
		}
		if strings.HasSuffix(name, ".omit") && slices.Contains(files, strings.TrimSuffix(file, ".omit")) {
			continue // of the post beside it: who does not get it (notmetoo)
		}
		m.p.Held = append(m.p.Held, m.post(file))
		took++
	}
	if took > 0 {
		m.p.heldIn = "moderation"
		m.p.Report.leave("moderation", "the letters about held posts that moderators have are mlmmj's, and do nothing here",
			"superlist held ls "+m.p.Addr.Address()+"; a prefix, footer or header of mlmmj's is in them already")
	}
	return nil
}

// post returns a message in a file. The folder must still be open when it is read.
func (d *folder) post(file string) Post {
	p := Post{Source: file, Open: func() (io.ReadCloser, error) {
		f, _, err := d.open(file)
		return f, err
	}}
	if info, err := d.root.Lstat(file); err == nil {
		p.Arrived = info.ModTime()
	}
	return p
}

// archive reads a file for each post, named by its number.
func (m *mlmmj) archive() error {
	files, err := m.files("archive")
	if err != nil {
		m.p.Report.leave("archive", err.Error(), "")
		return nil
	}
	for i, file := range files {
		m.step("looking at the archive", i, len(files))
		n, err := strconv.Atoi(path.Base(file))
		if err != nil || n < 1 || strconv.Itoa(n) != path.Base(file) {
			m.p.Report.leave(file, "its name is not a number of a post", "")
			continue
		}
		post := m.post(file)
		post.Number = n
		m.p.Archive = append(m.p.Archive, post)
	}
	slices.SortFunc(m.p.Archive, func(a, b Post) int { return a.Number - b.Number })
	m.p.archiveIn = "archive"
	return nil
}
