package migrate

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/letter"
	"superlist/smtp"
)

// rest handles what has no counterpart here.
func (m *mlmmj) rest() error {
	for _, dir := range []struct{ name, why, instead string }{
		{"subconf", "people who asked to become members and have not answered yet: %d", "they ask again"},
		{"unsubconf", "people who asked to leave and have not answered yet: %d", "they ask again"},
		{"queue", "messages that have not been sent: %d", "run mlmmj-maintd until there are none, before the list moves"},
		{"requeue", "messages that have not been sent to everybody: %d", "run mlmmj-maintd until there are none, before the list moves"},
		{"incoming", "messages that have not been looked at: %d", "run mlmmj-process until there are none, before the list moves"},
	} {
		files, err := m.list(dir.name)
		if err != nil {
			m.p.Report.leave(dir.name, err.Error(), "")
			continue
		}
		files = slices.DeleteFunc(files, func(s string) bool { return s == "discarded" || strings.Contains(s, ".") && dir.name == "queue" })
		if len(files) > 0 {
			m.p.Report.leave(dir.name, fmt.Sprintf(dir.why, len(files)), dir.instead)
		}
	}
	if err := m.bounces(); err != nil {
		return err
	}
	m.texts()
	known := []string{"control", "subscribers.d", "digesters.d", "nomailsubs.d", "moderation", "archive", "text",
		"subconf", "unsubconf", "bounce", "queue", "requeue", "incoming"}
	for file, as := range map[string]string{
		"index": "the archive goes on behind its largest number", "lastdigest": "the first digest here begins with the first post here",
		"mlmmj.operation.log": "", "mlmmj.operation.log.rotated": "", "maintdlog-lastrun": "", "mlmmj-maintd.lastrun.log": "",
	} {
		known = append(known, file)
		if m.has(file) && as != "" {
			m.p.Report.take(file, "%s", as)
		} else if m.has(file) {
			m.p.Report.leave(file, "a log of mlmmj's", "keep it with your logs")
		}
	}
	all, err := m.list(".")
	if err != nil {
		return err
	}
	for _, name := range all {
		if !slices.Contains(known, name) {
			m.p.Report.leave(name, "nothing that mlmmj makes", "")
		}
	}
	return nil
}

// bounces takes over on which days mail to members came back: a file for each, named
// user=domain, with lines NUMBER:TIME.
func (m *mlmmj) bounces() error {
	files, err := m.list("bounce")
	if err != nil {
		m.p.Report.leave("bounce", err.Error(), "")
		return nil
	}
	n := 0
	for _, name := range files {
		i := strings.LastIndexByte(name, '=')
		if i < 0 || strings.HasSuffix(name, ".lastmsg") || strings.HasSuffix(name, "-probe") {
			continue
		}
		who, ok := smtp.ParseAddress(name[:i] + "@" + name[i+1:])
		text, err := m.read("bounce/" + name)
		if !ok || err != nil {
			m.p.Report.leave("bounce/"+name, "nothing that mlmmj makes, or it cannot be read", "")
			continue
		}
		var days []time.Time
		for line := range strings.Lines(string(text)) {
			_, at, _ := strings.Cut(strings.TrimSpace(line), ":")
			at, _, _ = strings.Cut(at, " ")
			if sec, err := strconv.ParseInt(at, 10, 64); err == nil && sec > 0 && sec <= time.Now().Unix() {
				days = append(days, time.Unix(sec, 0))
			}
		}
		if len(days) == 0 {
			m.p.Report.leave("bounce/"+name, "it does not say when mail came back", "they begin anew here")
			continue
		}
		m.p.bounced(who, days, "counted by mlmmj")
		n++
	}
	if n > 0 {
		m.p.Report.take("bounce", "the days on which mail to %s came back", count(n, "member"))
	}
	return nil
}

// mlmmjTexts is where mlmmj's own letters are, by language.
const mlmmjTexts = "/usr/share/mlmmj/text.skel"

// texts handles mlmmj's letters. Those identical to mlmmj's own tell the language of
// the list; others are somebody's own words.
func (m *mlmmj) texts() {
	names, err := m.list("text")
	if err != nil {
		m.p.Report.leave("text", err.Error(), "")
	}
	if len(names) == 0 {
		return
	}
	language, own := m.nearest(names)
	if language != "" {
		m.p.set("language", quote(language))
		m.p.Report.take("text", "%s as mlmmj brings them: language = %s", count(len(names)-len(own), "letter"), language)
	}
	const instead = "the letters here are in en, de, es, fr and ja (language in list.toml); own words go into texts.toml"
	if len(own) == len(names) {
		m.p.Report.leave("text", count(len(names), "letter")+" of mlmmj's, in whatever language and words", instead)
	} else if len(own) > 0 {
		m.p.Report.leave("text", "own words in "+clip(strings.Join(own, ", ")), instead)
	}
}

// nearest returns the language in which most of the letters are mlmmj's own, and the
// letters that are not.
func (m *mlmmj) nearest(names []string) (language string, own []string) {
	own = names
	for _, tag := range letter.Languages {
		skel, err := openFolder(path.Join(mlmmjTexts, tag))
		if err != nil {
			continue
		}
		var other []string
		for _, name := range names {
			theirs, err := m.read(path.Join("text", name))
			ours, none := skel.read(name)
			if err != nil || none != nil || ours == nil || !bytes.Equal(theirs, ours) {
				other = append(other, name)
			}
		}
		skel.root.Close()
		if len(other) < len(own) {
			language, own = tag, other
		}
	}
	return language, own
}

// others handles control files that have no counterpart here, or that mlmmj does not
// know.
func (m *mlmmj) others() {
	for _, c := range mlmmjControls {
		text, there := m.text(c.name)
		if !there {
			continue
		}
		m.p.Report.settle("control/"+c.name, c, text)
	}
	files, err := m.list("control")
	if err != nil {
		m.p.Report.leave("control", err.Error(), "")
	}
	for _, name := range files {
		if !slices.Contains(m.seen, name) && name != "notmetoo" {
			m.p.Report.leave("control/"+name, "no setting that mlmmj has", "")
		}
	}
}

// mlmmjControls are the control files that have no counterpart here.
var mlmmjControls = []setting{
	{name: "prefix", why: "a prefix is not taken over, since it breaks the author's signature", instead: "subject_prefix in list.toml", shown: true},
	{name: "footer", why: "a footer is not taken over, since it breaks the author's signature", instead: "footer in list.toml", shown: true},
	{name: "customheaders", why: "a post gets only the list's own header fields", instead: "headers_add in list.toml", shown: true},
	{name: "delheaders", why: "only header fields that are the list's own are removed from a post", instead: "headers_remove in list.toml", shown: true},
	{name: "replyto", why: "Reply-To is the author's", instead: "reply_to in list.toml"},
	{name: "addtohdr", why: "To stays the author's"},
	{name: "relayhost", why: "all lists have one way out", instead: "[relay] in superlist.toml", shown: true},
	{name: "smtpport", why: "all lists have one way out", instead: "[relay] in superlist.toml", shown: true},
	{name: "smtphelo", why: "all lists have one name", instead: "hostname in superlist.toml", shown: true},
	{name: "verp", same: "each member has a return path of their own"},
	{name: "maxverprecips", why: "all lists have one way out", instead: "relay.batch in superlist.toml", shown: true},
	{name: "staticbounceaddr", why: "return paths are the list's own, with a proof in them", shown: true},
	{name: "memorymailsize", same: "no message is kept in memory"},
	{name: "bouncelife", why: "how long mail may come back is counted in days on which it did", instead: "bounce_days, suspend_days in list.toml", shown: true},
	{name: "digestmaxmails", why: "a digest has at most 50 posts, and more make several", shown: true},
	{name: "digestmaxmail", why: "a digest has at most 50 posts, and more make several", shown: true},
	{name: "nodigesttext", why: "a digest begins with its contents and with how to leave"},
	{name: "nodigestsub", why: "members may have digests here", instead: "digest = \"off\", and nobody gets any"},
	{name: "nonomailsub", why: "members may have nomail here"},
	{name: "nomailsub", why: "members may have nomail here"},
	{name: "modreqlife", why: "posts are held for seven days here", shown: true},
	{name: "notifymod", why: "authors are told what was decided about a held post, but not that it is held", instead: "tell_author in list.toml"},
	{name: "ifmodsendonlymodmoderate", why: "all moderators are asked about a held post"},
	{name: "nosubmodmails", why: "who asks to become a member hears that the owners decide"},
	{name: "nolistsubsemail", why: "owners see the members by superlist member ls"},
	{name: "notoccdenymails", same: "a post is refused while its sender is on the line, and no letter is sent"},
	{name: "noaccessdenymails", same: "a post is refused while its sender is on the line, and no letter is sent"},
	{name: "nosubonlydenymails", same: "a post is refused while its sender is on the line, and no letter is sent"},
	{name: "nomodonlydenymails", same: "a post is refused while its sender is on the line, and no letter is sent"},
	{name: "nomaxmailsizedenymails", same: "a post is refused while its sender is on the line, and no letter is sent"},
}
