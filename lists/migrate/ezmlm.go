package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/smtp"
)

// Ezmlm reads a list directory of ezmlm or ezmlm-idx, as described in ezmlm(5). Older
// versions keep some settings only as switches, in their file config.
func Ezmlm(dir string, o Options) (*Parcel, error) {
	d, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	if !d.isDir("subscribers") || !d.has("lock") && !d.has("mailinglist") && !d.has("outlocal") {
		d.root.Close()
		return nil, fmt.Errorf("%s: %w: it has no subscribers and outlocal in it", dir, ErrNotThis)
	}
	z := &ezmlm{folder: d, Options: o, p: &Parcel{From: "ezmlm, " + dir, folder: d}}
	for _, step := range []func() error{z.settings, z.members, z.pending, z.archive, z.rest, z.p.seal} {
		if err := step(); err != nil {
			z.p.Close()
			return nil, err
		}
	}
	return z.p, nil
}

type ezmlm struct {
	*folder
	Options
	p      *Parcel
	config map[byte]string // the file config, by letter
	modern bool            // each switch has a file of its own (7.0)
	seen   []string
}

// line returns the first line of a file; false if there is none.
func (z *ezmlm) line(name string) (string, bool) {
	z.seen = append(z.seen, name)
	if !z.has(name) {
		return "", false
	}
	text, err := z.read(name)
	if err != nil {
		z.p.Report.leave(name, err.Error(), "")
		return "", false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line), true
}

// is reports whether a file exists.
func (z *ezmlm) is(name string) bool {
	z.seen = append(z.seen, name)
	return z.has(name)
}

// switched reports whether a switch of ezmlm-make is on. In new versions it is a file.
func (z *ezmlm) switched(letter byte, file string) bool {
	there := z.is(file)
	return there || !z.modern && strings.IndexByte(z.config['F'], letter) >= 0
}

func (z *ezmlm) settings() error {
	r := &z.p.Report
	_, z.modern = z.line("flags")
	z.readConfig()
	local, _ := z.line("outlocal")
	host, _ := z.line("outhost")
	if local == "" || host == "" {
		local, host = z.config['L'], z.config['H']
	}
	was, ok := smtp.ParseAddress(local + "@" + host)
	switch {
	case !z.As.IsNull():
		z.p.Addr = z.As
	case ok:
		z.p.Addr = was
	default:
		return errNoAddress
	}
	if ok && z.p.Addr.Key() != was.Key() {
		r.leave("outlocal, outhost", was.Address()+" was the list's address",
			"have Postfix know it as an alias: virtual_alias_maps, "+was.Address()+" "+z.p.Addr.Address())
	}
	r.leave("outlocal", "its addresses were written "+local+"-subscribe, "+local+"-unsubscribe",
		"recipient_delimiter of superlist.toml is one for all lists, and + where nothing is said")
	z.owners()
	if len(z.Owners) > 0 {
		z.p.Owners = z.Owners
	}
	if len(z.p.Owners) == 0 {
		return errNoOwner
	}
	z.posting()
	z.subscription()
	z.keeping()
	z.digests()
	z.attachments()
	return nil
}

// readConfig reads what ezmlm-make has noted: a letter, a colon, a value.
func (z *ezmlm) readConfig() {
	z.config = make(map[byte]string)
	z.seen = append(z.seen, "config")
	text, err := z.read("config")
	if err != nil {
		z.p.Report.leave("config", err.Error(), "")
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if len(line) > 2 && line[1] == ':' {
			z.config[line[0]] = strings.TrimSpace(line[2:])
		}
	}
}

// owners reads the addresses to which the delivery instructions in owner forward:
// dot-qmail(5).
func (z *ezmlm) owners() {
	z.seen = append(z.seen, "owner")
	text, err := z.read("owner")
	if err != nil {
		z.p.Report.leave("owner", err.Error(), "")
	}
	lines := strings.Split(string(text), "\n")
	if z.config['5'] != "" {
		lines = append(lines, z.config['5'])
	}
	for n, line := range lines {
		line = strings.TrimSpace(line)
		p, ok := smtp.ParseAddress(strings.TrimPrefix(line, "&"))
		switch {
		case line == "" || line[0] == '#' || strings.Contains(line, "ezmlm-"):
		case ok && !slices.Contains(z.p.Owners, p):
			z.p.Owners = append(z.p.Owners, p)
		case !ok:
			z.p.Report.leaveLine("owner", n+1, short(line)+" is not an address; mail to the owners went there too")
		}
	}
	if len(z.p.Owners) > 0 {
		z.p.Report.take("owner", "owners = %s", spell(z.p.Owners))
	}
}

func (z *ezmlm) posting() {
	r := &z.p.Report
	moderated, users, mods, confirm := z.is("modpost"), z.switched('u', "subpostonly"), z.switched('o', "modpostonly"), z.switched('y', "confirmpost")
	set := func(what string, settings ...string) {
		for _, s := range settings {
			key, value, _ := strings.Cut(s, " = ")
			if value != "true" {
				value = quote(value)
			}
			z.p.set(key, value)
		}
		r.take(what, "%s", strings.Join(settings, ", "))
	}
	switch {
	case moderated && mods:
		set("modpost, modpostonly (-mo)", "post = moderators")
		r.leave("modpost, modpostonly (-mo)", "moderators saw each other's posts first; here a moderator posts at once, or is asked where nothing proves that From is theirs", "")
	case moderated && users:
		set("modpost, subpostonly (-mu)", "post = members", "nonmembers = hold")
	case moderated:
		set("modpost (-m)", "post = anyone", "moderated = true")
	case users && confirm:
		set("subpostonly, confirmpost (-uy)", "post = members", "nonmembers = reject", "unverified = confirm")
	case users:
		set("subpostonly (-u)", "post = members", "nonmembers = reject")
	case confirm:
		set("confirmpost (-y)", "post = members", "nonmembers = confirm", "unverified = confirm")
	default:
		set("(no modpost, subpostonly, confirmpost)", "post = anyone")
	}
	if confirm && moderated {
		r.leave("confirmpost (-y)", "a post that a moderator sees is not put before its author first", "")
	}
	z.seen = append(z.seen, "editor", "manager", "moderator", "bouncer", "confirmer")
	editor, _ := z.read("editor")
	named := false
	for n, line := range strings.Split(string(editor), "\n") {
		if strings.Contains(line, "ezmlm-reject") {
			named = !strings.Contains(line, " -T")
		} else if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !strings.Contains(line, "ezmlm-") {
			r.leaveLine("editor", n+1, short(line)+" was done with each post; superlist starts no programs, but asks milters ([[milter]])")
		}
	}
	z.p.set("must_be_named", strconv.FormatBool(named))
	r.take("editor", "must_be_named = %v, as ezmlm-reject is called there", named)
	if size, there := z.line("msgsize"); there {
		largest, _, _ := strings.Cut(size, ":")
		if n, err := strconv.Atoi(largest); err == nil && n >= 1<<10 {
			z.p.set("max_message_size", strconv.Itoa(n))
			r.take("msgsize", "max_message_size = %v, of which the header is a part here; a smallest size there is not", config.Size(n))
		} else if largest != "" && largest != "0" {
			r.leave("msgsize", short(size)+": it must be at least 1024 here", "superlist list set "+z.p.Addr.Address()+" max_message_size=…")
		}
	} else {
		r.leave("(no msgsize)", "the list took posts of any size, and here it takes what new lists do",
			"superlist list set "+z.p.Addr.Address()+" max_message_size=10MiB")
	}
}

func (z *ezmlm) subscription() {
	r := &z.p.Report
	public, approve, open := z.is("public"), z.is("modsub"), z.switched('h', "nosubconfirm")
	how, what := lists.SubscribeConfirm, "public (-p)"
	switch {
	case !public:
		how, what = lists.SubscribeClosed, "(no public: -P)"
	case approve && open:
		how, what = lists.SubscribeApprove, "modsub, nosubconfirm (-sh)"
	case approve:
		how, what = lists.SubscribeConfirmApprove, "modsub (-s)"
	case open:
		how, what = lists.SubscribeOpen, "nosubconfirm (-h)"
	}
	z.p.set("subscribe", quote(how))
	r.take(what, "subscribe = %s", how)
	if approve {
		r.leave("modsub (-s)", "the moderators decided who may become a member; here the owners do", "superlist list set "+z.p.Addr.Address()+" owners=…")
	}
	for _, name := range []string{"modpost", "modsub", "remote"} {
		if dir, _ := z.line(name); strings.HasPrefix(dir, "/") {
			r.leave(name, "its moderators are elsewhere, in "+short(dir), "superlist list set "+z.p.Addr.Address()+" moderators=…")
		}
	}
	if z.switched('j', "nounsubconfirm") {
		r.leave("nounsubconfirm (-j)", "people who want to leave answer a letter here", "")
	}
}

// keeping handles whether posts are kept, and who may request them.
func (z *ezmlm) keeping() {
	kept := z.is("archived")
	mods, members := z.switched('b', "modgetonly"), z.switched('g', "subgetonly")
	access, because := lists.ArchiveAnyone, "(no subgetonly, modgetonly)"
	switch {
	case mods || !z.is("public"):
		access, because = lists.ArchiveNobody, "modgetonly (-b), or no public (-P)"
	case members || z.switched('u', "subpostonly"):
		access, because = lists.ArchiveMembers, "subgetonly (-g), subpostonly (-u)"
	}
	z.p.set("archive", strconv.FormatBool(kept))
	z.p.set("archive_access", quote(access))
	z.p.Report.take("archived", "archive = %v", kept)
	z.p.Report.take(because, "archive_access = %s", access)
	if mods {
		z.p.Report.leave("modgetonly (-b)", "the moderators could have old posts sent; nobody can", "")
	}
}

// digests handles when digests are sent: by default ezmlm-tstdig makes one after 48
// hours, 30 posts or 64 KiB.
func (z *ezmlm) digests() {
	readers, _ := z.list("digest/subscribers")
	pace := lists.DigestOff
	if z.switched('d', "digested") || len(readers) > 0 {
		pace = lists.DigestDaily
	}
	z.p.set("digest", quote(string(pace)))
	z.p.Report.take("digested (-d), digest/subscribers", "digest = %s", pace)
}

// attachments handles the types of parts that posts must not have.
func (z *ezmlm) attachments() {
	const file = "mimereject"
	z.seen = append(z.seen, file)
	text, err := z.read(file)
	if err != nil {
		z.p.Report.leave(file, err.Error(), "")
	}
	var types []string
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.ToLower(strings.TrimSpace(line))
		kind, sub, _ := strings.Cut(line, "/")
		if line == "" {
			continue
		}
		if !isFieldName(kind) || sub != "" && !isFieldName(sub) || strings.Contains(line, ",") || len(types) == maxPatterns {
			z.p.Report.leaveLine(file, n+1, short(line)+" is not a type")
			continue
		}
		types = append(types, quote(kind+"/"+cmp.Or(sub, "*")))
	}
	if len(types) > 0 {
		z.p.set("attachments_refuse", "["+strings.Join(types, ", ")+"]")
		z.p.Report.take(file, "attachments_refuse, %s", count(len(types), "type"))
	}
}
