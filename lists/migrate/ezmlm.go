package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/smtp"
)

// Ezmlm reads a list directory of ezmlm or ezmlm-idx, as ezmlm(5) has it. What
// older versions keep in switches alone is read from their file config.
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
	config map[byte]string // of the file config, by its letters
	modern bool            // each switch has a file of its own (7.0)
	seen   []string
}

// line is the first line of a file, and whether it is there.
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

// is says that a file is there.
func (z *ezmlm) is(name string) bool {
	z.seen = append(z.seen, name)
	return z.has(name)
}

// switched says that a switch of ezmlm-make is on, which has a file in new
// versions.
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

// owners are those whom the delivery instructions in owner forward to:
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
		r.leave("modpost, modpostonly (-mo)", "moderators saw each other's posts first; here a moderator posts at once, or is asked where nothing proves that From is he", "")
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
		r.leave("nounsubconfirm (-j)", "who wants to leave answers a letter here", "")
	}
}

// keeping is whether posts are kept, and who may have them sent.
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

// digests is when those who want digests get one: ezmlm-tstdig makes one after 48
// hours, 30 posts or 64 KiB, where nothing else is said.
func (z *ezmlm) digests() {
	readers, _ := z.list("digest/subscribers")
	pace := lists.DigestOff
	if z.switched('d', "digested") || len(readers) > 0 {
		pace = lists.DigestDaily
	}
	z.p.set("digest", quote(string(pace)))
	z.p.Report.take("digested (-d), digest/subscribers", "digest = %s", pace)
}

// attachments are the types of parts that posts must not have.
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

// ezmlmFiles are files that say nothing here.
var ezmlmFiles = []struct {
	name    string
	same    string // it is so here without being said
	why     string
	instead string
	shown   bool
}{
	{name: "prefix", why: "subjects are not changed here", instead: "mail programs sort by List-Id", shown: true},
	{name: "text/trailer", why: "the body of a post is not changed here", shown: true},
	{name: "addtrailer", why: "the body of a post is not changed here"},
	{name: "headeradd", why: "the list adds the headers of RFC 2369 and 2919, and no others", shown: true},
	{name: "headerremove", why: "headers of a post are not taken away, but for those that are the list's own", shown: true},
	{name: "headerkeep", why: "headers of a post are not taken away, but for those that are the list's own", shown: true},
	{name: "headerreject", why: "posts with these headers were refused", instead: "a line for each in the file rules: reject NAME", shown: true},
	{name: "mimeremove", why: "parts of these types were taken out of a post; here it stays as it is, or is refused", instead: "attachments_refuse in list.toml", shown: true},
	{name: "mimekeep", why: "parts of other types were taken out of a post; here it stays as it is, or is refused", instead: "attachments_allow in list.toml", shown: true},
	{name: "replyto", why: "Reply-To stays the author's"},
	{name: "fromheader", why: "From stays the author's", shown: true},
	{name: "rewritefrom", why: "From stays the author's"},
	{name: "sequence", why: "posts are not numbered in their header", shown: true},
	{name: "sublist", why: "a list that gets its posts from another is a member of it here", shown: true},
	{name: "qmqpservers", why: "all lists have one way out", instead: "[relay] in superlist.toml", shown: true},
	{name: "remote", why: "moderators could subscribe and remove others by mail", instead: "superlist member add, superlist member rm"},
	{name: "modcanlist", why: "moderators could have the members sent", instead: "superlist member ls"},
	{name: "modcanedit", why: "moderators could write the list's letters by mail", instead: "texts.toml"},
	{name: "indexed", same: "posts are kept with an index"},
	{name: "threaded", same: "posts are kept with an index"},
	{name: "digestcode", why: "digests are made by superlist deliver, and by nobody's mail", shown: true},
	{name: "tstdigopts", why: "when a digest was made; here it is made once a day", instead: `digest = "20" in list.toml makes one of so many posts`, shown: true},
	{name: "digformat", why: "digests have one form", shown: true},
	{name: "digestdigformat", why: "digests have one form", shown: true},
	{name: "copylines", why: "no letter quotes what somebody wrote", shown: true},
	{name: "charset", same: "letters are in UTF-8"},
	{name: "mailinglist", same: "List-Id names the list"},
	{name: "noreturnposts", same: "a post is refused while its sender is on the line, and no letter is sent"},
	{name: "nowarn", same: "nobody is warned that mail came back"},
	{name: "omitbottom", same: "no letter quotes what somebody wrote"},
	{name: "logmsgsub", why: "subscriptions are in the mail log"},
	{name: "modtime", why: "posts are held for seven days here", shown: true},
	{name: "mod/modtime", why: "posts are held for seven days here", shown: true},
	{name: "key", why: "addresses that carry ezmlm's proofs are refused here", instead: "who was asked asks again"},
	{name: "dmarc", why: "From stays the author's"},
	{name: "num", same: "the archive goes on behind its largest number"},
	{name: "dignum", same: "the first digest here begins with the first post here"},
	{name: "digissue", same: "digests are numbered anew"},
	{name: "Log", why: "who came and went", instead: "keep it with your logs"},
	{name: "digest/Log", why: "who came and went", instead: "keep it with your logs"},
}

// ezmlmPlaces are what a directory of ezmlm's has beside.
var ezmlmPlaces = []string{"subscribers", "digest", "allow", "deny", "mod", "archive", "text", "bounce", "lock", "lockbounce",
	"ezmlmrc", "dot", "local", "Mailbox", "Maildir", "outlocal", "outhost", "tstdig"}

func (z *ezmlm) rest() error {
	r := &z.p.Report
	if id, there := z.line("listid"); there {
		if ours := z.p.Addr.Local + "." + z.p.Addr.Domain; !strings.Contains(id, "<"+ours+">") {
			r.leave("listid", short(id)+" was the List-Id; here it is <"+ours+">", "members whose mail program sorts by it have to tell it so")
		} else {
			r.take("listid", "the same here")
		}
	}
	for _, c := range ezmlmFiles {
		z.seen = append(z.seen, c.name)
		if !z.has(c.name) {
			continue
		}
		if c.same != "" {
			r.take(c.name, "%s", c.same)
			continue
		}
		why := c.why
		if c.shown {
			text, err := z.read(c.name)
			if err != nil {
				why += ": " + err.Error()
			} else if s := strings.TrimSpace(string(text)); s != "" {
				why += ": " + short(s)
			}
		}
		r.leave(c.name, why, c.instead)
	}
	for _, dir := range []string{"bounce", "digest/bounce"} {
		if n := z.bounces(dir, 0); n > 0 {
			r.take(dir, "that mail to %s came back", count(n, "member"))
		}
	}
	if files, _ := z.list("text"); len(files) > 0 {
		r.leave("text", count(len(files), "letter")+" of ezmlm's, in whatever language and words",
			"the letters here are in en, de, es, fr and ja (language in list.toml); own words go into texts.toml")
	}
	all, err := z.list(".")
	if err != nil {
		return err
	}
	for _, name := range all {
		if !slices.Contains(z.seen, name) && !slices.Contains(ezmlmPlaces, name) {
			r.leave(name, "nothing that is known of ezmlm", "")
		}
	}
	return nil
}

// maxBounceDepth is how deep ezmlm-idx has files of bounces: bounce/d/NUMBER.
const maxBounceDepth = 2

// bounces takes over whose mail came back: files that begin with the address and a NUL.
// When that was only the warnings say that ezmlm sends later, so it counts for today.
func (z *ezmlm) bounces(dir string, depth int) (n int) {
	names, err := z.list(dir)
	if err != nil {
		return 0
	}
	for _, name := range names {
		text, err := z.read(dir + "/" + name)
		if err != nil {
			if depth < maxBounceDepth {
				n += z.bounces(dir+"/"+name, depth+1)
			}
			continue
		}
		address, _, ok := strings.Cut(string(text), "\x00")
		who, is := smtp.ParseAddress(address)
		if !ok || !is {
			continue // of which messages somebody has missed, or when it was last looked
		}
		z.p.bounced(who, []time.Time{time.Now()}, "counted by ezmlm")
		n++
	}
	return n
}
