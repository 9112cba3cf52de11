package migrate

import (
	"slices"
	"strings"
	"time"

	"superlist/smtp"
)

// ezmlmFiles are the files that have no counterpart here.
var ezmlmFiles = []setting{
	{name: "prefix", why: "a prefix is not taken over, since it breaks the author's signature", instead: "subject_prefix in list.toml", shown: true},
	{name: "text/trailer", why: "a footer is not taken over, since it breaks the author's signature", instead: "footer in list.toml", shown: true},
	{name: "addtrailer", why: "a footer is not taken over, since it breaks the author's signature", instead: "footer in list.toml"},
	{name: "headeradd", why: "a post gets only the list's own header fields", instead: "headers_add in list.toml", shown: true},
	{name: "headerremove", why: "only header fields that are the list's own are removed from a post", instead: "headers_remove in list.toml", shown: true},
	{name: "headerkeep", why: "only header fields that are the list's own are removed from a post", instead: "headers_remove in list.toml", shown: true},
	{name: "headerreject", why: "posts with these headers were refused", instead: "a line for each in the file rules: reject NAME", shown: true},
	{name: "mimeremove", why: "parts of these types were removed from posts", instead: "attachments_remove or attachments_refuse in list.toml", shown: true},
	{name: "mimekeep", why: "parts of other types were removed from posts; here such a post is refused", instead: "attachments_allow in list.toml", shown: true},
	{name: "replyto", why: "Reply-To is the author's", instead: "reply_to in list.toml"},
	{name: "fromheader", why: "From changes only where DMARC asks for it", instead: "dmarc in list.toml", shown: true},
	{name: "rewritefrom", why: "From changes only where DMARC asks for it", instead: "dmarc in list.toml"},
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
	{name: "dmarc", why: "From changes only where DMARC asks for it", instead: "dmarc in list.toml"},
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
		var text []byte
		if c.shown {
			var err error
			if text, err = z.read(c.name); err != nil {
				c.why += ": " + err.Error()
			}
		}
		r.settle(c.name, c, string(text))
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
			r.leave(name, "no file that ezmlm is known to have", "")
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
