package migrate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/letter"
	"superlist/lists/quota"
	"superlist/smtp"
)

// fromMailman begins what a Parcel of Mailman's is from.
const fromMailman = "Mailman 3, "

// Mailman3 reads a directory with Mailman 3's description of a list: the answers of its
// REST API 3.1, or the output of "mailman members".
//
//	config.json           lists/LIST/config
//	member.json  …        lists/LIST/roster/member; also owner, moderator, nonmember
//	member.txt  …         mailman members --role member LIST; also owner, moderator, nonmember
//	digest.txt            mailman members --digest any LIST
//	nomail.txt            mailman members --nomail any LIST
//	bans.json             lists/LIST/bans
//	header-matches.json   lists/LIST/header-matches
//	held.json             lists/LIST/held
//	archive.mbox          the archive, as HyperKitty exports it
//
// Only config.json and members are required.
func Mailman3(dir string, o Options) (*Parcel, error) {
	d, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	if !d.has("config.json") {
		d.root.Close()
		return nil, fmt.Errorf("%s: %w: it has no config.json, the answer of lists/LIST/config", dir, ErrNotThis)
	}
	m := &mailman{folder: d, Options: o, p: &Parcel{From: fromMailman + dir, folder: d}}
	for _, step := range []func() error{m.readConfig, m.roles, m.settings, m.matches, m.held, m.archive, m.rest, m.p.seal} {
		if err := step(); err != nil {
			m.p.Close()
			return nil, err
		}
	}
	return m.p, nil
}

type mailman struct {
	*folder
	Options
	p      *Parcel
	config map[string]any
	allow  []string
	ban    []string
	some   bool // a member is not moderated, although others are by default
}

// settings handles the keys of config.json.
func (m *mailman) settings() error {
	m.posting()
	m.subscription()
	m.limits()
	m.words()
	m.keeping()
	m.others()
	return nil
}

func (m *mailman) take(keys, format string, args ...any) {
	m.p.Report.take("config.json: "+keys, format, args...)
}

func (m *mailman) leave(key, why, instead string) {
	m.p.Report.leave("config.json: "+key, why, instead)
}

func (m *mailman) posting() {
	nonmembers, all := m.text("default_nonmember_action"), m.text("default_member_action")
	post, as := lists.PostMembers, ""
	switch nonmembers {
	case "hold", "reject", "discard":
		as = nonmembers
	case "accept", "defer":
		post = lists.PostAnyone
	default:
		m.leave("default_nonmember_action", short(nonmembers)+" is not an action; posts of others are held", "")
		as = lists.NonmembersHold
	}
	if all == "reject" || all == "discard" {
		post, as = lists.PostModerators, ""
		m.take("default_member_action", "post = moderators; where nothing proves that From is one, they are asked")
	}
	m.p.set("post", quote(post))
	settings := "post = " + post
	if as != "" {
		m.p.set("nonmembers", quote(as))
		settings += ", nonmembers = " + as
	}
	m.take("default_nonmember_action, default_member_action", "%s", settings)
	if all == "hold" && !m.some {
		m.p.set("moderated", "true")
		m.take("default_member_action", "moderated = true")
	} else if all == "hold" {
		m.leave("default_member_action", "members who come later are not moderated", "superlist list set "+m.p.Addr.Address()+" moderated=true, for all members")
	}
	if digests, there := m.config["digests_enabled"].(bool); there && !digests {
		m.p.set("digest", string(lists.DigestOff))
		m.take("digests_enabled", "digest = off")
	}
	if emergency, _ := m.config["emergency"].(bool); emergency {
		m.p.set("hold_all", "true")
		m.take("emergency", "hold_all = true")
	}
	if n := m.patterns("config.json: accept_these_nonmembers", m.strings("accept_these_nonmembers"), &m.allow); n > 0 {
		m.take("accept_these_nonmembers", "allow, %s", count(n, "pattern"))
	}
	for _, key := range []string{"reject_these_nonmembers", "discard_these_nonmembers"} {
		if n := m.patterns("config.json: "+key, m.strings(key), &m.ban); n > 0 {
			m.take(key, "ban, %s: their posts are refused", count(n, "pattern"))
		}
	}
	if held := m.strings("hold_these_nonmembers"); len(held) > 0 && as == lists.NonmembersHold {
		m.take("hold_these_nonmembers", "like all nonmembers")
	} else if len(held) > 0 {
		m.leave("hold_these_nonmembers", short(strings.Join(held, ", ")), "a line for each in the file rules: hold From: *ADDRESS*")
	}
	for key, patterns := range map[string][]string{"allow": m.allow, "ban": m.ban} {
		if len(patterns) > 0 {
			var words []string
			for _, p := range patterns {
				words = append(words, quote(p))
			}
			m.p.set(key, "["+strings.Join(words, ", ")+"]")
		}
	}
}

func (m *mailman) subscription() {
	policy := m.text("subscription_policy")
	how, ok := map[string]string{
		"open": lists.SubscribeOpen, "confirm": lists.SubscribeConfirm, "moderate": lists.SubscribeApprove, "confirm_then_moderate": lists.SubscribeConfirmApprove,
	}[policy]
	if !ok {
		m.leave("subscription_policy", short(policy)+" is not a known policy; people who want to join confirm it", "")
		how = lists.SubscribeConfirm
	}
	m.p.set("subscribe", quote(how))
	m.take("subscription_policy", "subscribe = %s", how)
	notify, _ := m.config["admin_notify_mchanges"].(bool)
	m.p.set("notify", strconv.FormatBool(notify))
	m.take("admin_notify_mchanges", "notify = %v", notify)
	if at, is := m.config["admin_immed_notify"].(bool); is {
		when := lists.HeldNoticeEach
		if !at {
			when = lists.HeldNoticeDaily
		}
		m.p.set("held_notice", quote(when))
		m.take("admin_immed_notify", "held_notice = %s", when)
	}
}

func (m *mailman) limits() {
	number := func(key string) int {
		f, _ := m.config[key].(float64)
		if f < 0 || f > 1<<30 || f != math.Trunc(f) {
			m.leave(key, "it is not a number", "")
			return 0
		}
		return int(f)
	}
	if kib := number("max_message_size"); kib > 0 {
		m.p.set("max_message_size", quote(config.Size(kib<<10).String()))
		m.take("max_message_size", "max_message_size = %v, and what is larger is refused and not held", config.Size(kib<<10))
	} else {
		m.leave("max_message_size", "the list took posts of any size, and here it takes what new lists do",
			"superlist list set "+m.p.Addr.Address()+" max_message_size=10MiB")
	}
	switch n := number("max_num_recipients"); {
	case n > 1:
		m.p.set("max_named", strconv.Itoa(n-1))
		m.take("max_num_recipients", "max_named = %d, and a post to more is refused and not held", n-1)
	case n == 1:
		m.leave("max_num_recipients", "every post that names somebody was held", "moderated = true")
	}
	named, _ := m.config["require_explicit_destination"].(bool)
	m.p.set("must_be_named", strconv.FormatBool(named))
	m.take("require_explicit_destination", "must_be_named = %v", named)
	if aliases := m.strings("acceptable_aliases"); len(aliases) > 0 && named {
		m.leave("acceptable_aliases", short(strings.Join(aliases, ", "))+" in To or Cc was the list too", "must_be_named = false, or let people write the list's address")
	}
}

// keeping handles whether posts are kept, and who may request them.
func (m *mailman) keeping() {
	policy := m.text("archive_policy")
	access := map[string]string{"never": lists.ArchiveNobody, "private": lists.ArchiveMembers, "public": lists.ArchiveAnyone}[policy]
	if access == "" {
		return // as in new lists
	}
	m.p.set("archive", strconv.FormatBool(policy != "never"))
	m.p.set("archive_access", quote(access))
	m.take("archive_policy", "archive = %v, archive_access = %s", policy != "never", access)
}

func (m *mailman) words() {
	about := strings.Join(strings.FieldsFunc(m.text("description"), func(c rune) bool { return c <= ' ' || c == 0x7f }), " ")
	if runes := []rune(about); len(runes) > lists.MaxDescription {
		about = string(runes[:lists.MaxDescription])
		m.leave("description", "what is beyond 500 characters of it", "")
	}
	if about != "" {
		m.p.set("description", quote(about))
		m.take("description", "description = %s", about)
	}
	tag := strings.ReplaceAll(m.text("preferred_language"), "_", "-")
	base, _, _ := strings.Cut(tag, "-")
	if slices.Contains(letter.Languages, base) {
		m.p.set("language", quote(tag))
		m.take("preferred_language", "language = %s", tag)
	} else if tag != "" {
		m.leave("preferred_language", "there are no letters in "+short(tag)+"; they are in English", "own words in texts.toml")
	}
}

// matches handles rules about headers: expressions that are searched in a field.
func (m *mailman) matches() error {
	const source = "header-matches.json"
	took := 0
	m.eachEntry(source, func(n int, raw json.RawMessage) {
		var rule struct {
			Header  string `json:"header"`
			Pattern string `json:"pattern"`
			Action  string `json:"action"`
		}
		if err := json.Unmarshal(raw, &rule); err != nil {
			m.p.Report.leaveLine(source, n, "no entry: "+clip(string(raw)))
			return
		}
		action, ok := map[string]string{"": "hold", "hold": "hold", "reject": "reject", "discard": "discard", "accept": "accept"}[rule.Action]
		found, could := globs(rule.Pattern, syntax.Perl)
		var lines []string
		for _, g := range found {
			if !g.begin {
				g.text = anything + g.text
			}
			if !g.end {
				g.text += anything
			}
			g.text = squeeze(g.text)
			could = could && strings.TrimSpace(g.text) == g.text && g.text != ""
			line := action + " " + rule.Header + ": " + g.text
			if g.text == anything {
				line = action + " " + rule.Header
			}
			lines = append(lines, line)
		}
		if !ok || !could || !isFieldName(rule.Header) {
			m.p.Report.leaveLine(source, n, fmt.Sprintf("%s: %s in %s: rules with * ? and [a-z] cannot say it", short(rule.Action), short(rule.Pattern), short(rule.Header)))
			return
		}
		m.p.rules = append(m.p.rules, lines...)
		took += len(lines)
	})
	if took > 0 {
		m.p.Report.take(source, "%s of the file rules", count(took, "line"))
	}
	return nil
}

func (m *mailman) held() error {
	took := 0
	m.eachEntry("held.json", func(n int, raw json.RawMessage) {
		var held struct {
			Msg    string `json:"msg"`
			Date   string `json:"hold_date"`
			Reason string `json:"reason"`
			Sender string `json:"sender"`
			ID     int    `json:"request_id"`
		}
		source := fmt.Sprintf("held.json:%d", n)
		if err := json.Unmarshal(raw, &held); err != nil || held.Msg == "" {
			m.p.Report.leaveLine("held.json", n, "no held post: "+clip(string(raw)))
			return
		}
		if took >= quota.MaxHeld {
			m.p.Report.leaveLine("held.json", n, fmt.Sprintf("a list holds at most %d posts", quota.MaxHeld))
			return
		}
		post := Post{Source: source, Head: Head{Why: "hold: " + held.Reason}, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(held.Msg)), nil
		}}
		if held.Reason == "" {
			post.Head.Why = ""
		}
		if _, ok := smtp.ParseAddress(held.Sender); ok {
			post.Head.From = held.Sender
		}
		for _, form := range []string{"2006-01-02T15:04:05.999999", time.RFC3339} {
			if at, err := time.Parse(form, held.Date); err == nil {
				post.Arrived = at
			}
		}
		m.p.Held = append(m.p.Held, post)
		took++
	})
	if took > 0 {
		m.p.heldIn = "held.json"
		m.p.Report.leave("held.json", "the letters about them are Mailman's, and do nothing here", "superlist held ls "+m.p.Addr.Address())
	}
	return nil
}

func (m *mailman) archive() error {
	if !m.has("archive.mbox") {
		return nil
	}
	posts, err := m.mbox("archive.mbox")
	if err != nil {
		m.p.Report.leave("archive.mbox", err.Error(), "")
	}
	m.p.Archive, m.p.archiveIn = posts, "archive.mbox"
	return nil
}
