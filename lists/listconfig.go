package lists

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"superlist/lists/config"
	"superlist/lists/members"
	"superlist/lists/pattern"
	"superlist/smtp"
)

// MaxDescription is the longest description: even without a space it fits on a line of
// a header (RFC 5322, 2.1.1).
const MaxDescription = 500

// Config is list.toml: what the owners decide.
type Config struct {
	Description    string      `json:"description"`
	Owners         []string    `json:"owners"`
	Moderators     []string    `json:"moderators"`
	State          string      `json:"state"` // open, suspended, held or closed
	Post           string      `json:"post"`  // anyone, members, moderators or nobody
	MaxMessageSize config.Size `json:"max_message_size"`
	Subscribe      string      `json:"subscribe"`     // open, confirm, approve, confirm+approve or closed
	Notify         bool        `json:"notify"`        // owners are told who joins and leaves
	Language       string      `json:"language"`      // language of the letters: BCP 47
	Digest         Schedule    `json:"digest"`        // when digests are sent: off, daily, weekly, or after this many posts
	Nonmembers     string      `json:"nonmembers"`    // reject, hold, confirm or discard
	Moderated      bool        `json:"moderated"`     // a moderator sees every post first
	HoldAll        bool        `json:"hold_all"`      // emergency: hold every post, except those of moderators
	Unverified     string      `json:"unverified"`    // members whose identity only From claims: accept, hold or confirm
	Allow          []string    `json:"allow"`         // who may post like a member and is not moderated: addresses and domains, with *
	Ban            []string    `json:"ban"`           // who may not post at all
	MustBeNamed    bool        `json:"must_be_named"` // the list must be in To or Cc
	MaxNamed       int         `json:"max_named"`     // most people in To and Cc; 0: any number
	Spam           string      `json:"spam"`          // what a filter in front of us has marked: accept, hold or reject

	Archive       bool   `json:"archive"`         // posts are kept
	ArchiveOptOut bool   `json:"archive_opt_out"` // authors can keep a post out: archive.OptsOut
	ArchiveAccess string `json:"archive_access"`  // who gets them by mail: members, anyone or nobody
	Web           string `json:"web"`             // who may read them on the web: nobody, members or anyone
	WebAddresses  string `json:"web_addresses"`   // what pages show of people's addresses: name, local or full
	WebMBox       string `json:"web_mbox"`        // posts as files: off, veiled or full

	// Types and file names, with *. If either is set the parts of a post are examined;
	// otherwise its body is not read.
	AttachmentsAllow  []string `json:"attachments_allow"`  // empty: any
	AttachmentsRefuse []string `json:"attachments_refuse"` // text parts too

	Changes

	HeldNotice string `json:"held_notice"` // when moderators hear about held posts: each or daily
	TellAuthor bool   `json:"tell_author"` // the author of a held post is told by mail

	Bounces      string `json:"bounces"`       // what is done about members whose mail comes back: auto, notify or off
	BounceDays   int    `json:"bounce_days"`   // on how many days mail must have come back
	BounceWindow int    `json:"bounce_window"` // for how many days one of them counts
	SuspendDays  int    `json:"suspend_days"`  // after how many days a suspended member is removed

	Aliases      []string `json:"aliases"`       // further addresses of the list
	OldAddresses string   `json:"old_addresses"` // dev-request@ for dev+request@: auto, on or off
}

// manyKeys is room for all keys of a list, which a session makes at once.
const manyKeys = 64

// Keys returns the keys that the table may have.
func (c *Config) Keys() []config.Key {
	return c.Changes.keys(append(make([]config.Key, 0, manyKeys), []config.Key{
		{Name: "description", To: &c.Description},
		{Name: "owners", To: &c.Owners},
		{Name: "moderators", To: &c.Moderators},
		{Name: "state", To: &c.State},
		{Name: "post", To: &c.Post},
		{Name: "max_message_size", To: &c.MaxMessageSize},
		{Name: "subscribe", To: &c.Subscribe},
		{Name: "notify", To: &c.Notify},
		{Name: "language", To: &c.Language},
		{Name: "digest", To: &c.Digest},
		{Name: "nonmembers", To: &c.Nonmembers},
		{Name: "moderated", To: &c.Moderated},
		{Name: "hold_all", To: &c.HoldAll},
		{Name: "unverified", To: &c.Unverified},
		{Name: "allow", To: &c.Allow},
		{Name: "ban", To: &c.Ban},
		{Name: "must_be_named", To: &c.MustBeNamed},
		{Name: "max_named", To: &c.MaxNamed},
		{Name: "spam", To: &c.Spam},
		{Name: "archive", To: &c.Archive},
		{Name: "archive_opt_out", To: &c.ArchiveOptOut},
		{Name: "archive_access", To: &c.ArchiveAccess},
		{Name: "web", To: &c.Web},
		{Name: "web_addresses", To: &c.WebAddresses},
		{Name: "web_mbox", To: &c.WebMBox},
		{Name: "attachments_allow", To: &c.AttachmentsAllow},
		{Name: "attachments_refuse", To: &c.AttachmentsRefuse},
		{Name: "held_notice", To: &c.HeldNotice},
		{Name: "tell_author", To: &c.TellAuthor},
		{Name: "bounces", To: &c.Bounces},
		{Name: "bounce_days", To: &c.BounceDays},
		{Name: "bounce_window", To: &c.BounceWindow},
		{Name: "suspend_days", To: &c.SuspendDays},
		{Name: "aliases", To: &c.Aliases},
		{Name: "old_addresses", To: &c.OldAddresses},
	}...))
}

// Settings returns the keys of list.toml with their values, in order, as written on a
// command line.
func (c Config) Settings() (settings [][2]string) {
	for _, k := range c.Keys() {
		value := fmt.Sprint(k.Value())
		if list, ok := k.Value().([]string); ok {
			value = strings.Join(list, ", ")
		}
		settings = append(settings, [2]string{k.Name, value})
	}
	return settings
}

// Values of Config.State.
const (
	StateOpen      = "open"
	StateSuspended = "suspended" // posts are answered 450
	StateHeld      = "held"      // a moderator sees each post, whoever writes it
	StateClosed    = "closed"    // for good: what there is stays, and nothing comes
)

// Values of Config.Post.
const (
	PostAnyone     = "anyone"
	PostMembers    = "members"
	PostModerators = "moderators"
	PostNobody     = "nobody"
)

// Values of Config.Nonmembers, Config.Unverified, Config.HeldNotice and Config.Spam.
const (
	NonmembersReject  = "reject"
	NonmembersHold    = "hold"
	NonmembersConfirm = "confirm" // the author is asked whether the post is theirs
	NonmembersDiscard = "discard"

	UnverifiedAccept  = "accept"
	UnverifiedHold    = "hold"
	UnverifiedConfirm = "confirm"

	HeldNoticeEach  = "each"  // one letter per post, at once
	HeldNoticeDaily = "daily" // one letter for all

	SpamAccept = "accept"
	SpamHold   = "hold"
	SpamReject = "reject"
)

// Values of Config.Bounces.
const (
	BouncesAuto   = "auto"   // members are suspended and later removed
	BouncesNotify = "notify" // the owners are told
	BouncesOff    = "off"
)

// maxDays is the largest value of a setting in days: ten years.
const maxDays = 3650

// Values of Config.ArchiveAccess: who may request old posts. The answer goes only to
// the address that asks.
const (
	ArchiveMembers = "members"
	ArchiveAnyone  = "anyone"
	ArchiveNobody  = "nobody"
)

// Values of Config.Web: who may read the posts on the web.
const (
	WebNobody  = "nobody"
	WebMembers = "members"
	WebAnyone  = "anyone"
)

// Values of Config.WebAddresses and Config.WebMBox.
const (
	WebName  = "name"  // people's names only
	WebLocal = "local" // and the part of their addresses before the @
	WebFull  = "full"

	WebOff    = "off"
	WebVeiled = "veiled" // without addresses, and so not exactly as sent
)

// Values of Config.Subscribe: what it takes to become a member by mail.
const (
	SubscribeOpen           = "open"            // asking: anybody can subscribe anybody
	SubscribeConfirm        = "confirm"         // answering a letter
	SubscribeApprove        = "approve"         // an owner's approval
	SubscribeConfirmApprove = "confirm+approve" // both, in this order
	SubscribeClosed         = "closed"          // the operator's command
)

// Defaults are the settings of an empty list.toml. A megabyte per post is enough for a
// list; larger things are better linked to.
func Defaults() Config {
	return Config{
		Owners: []string{}, Moderators: []string{}, Allow: []string{}, Ban: []string{}, // [] in JSON
		AttachmentsAllow: []string{}, AttachmentsRefuse: []string{}, Aliases: []string{}, OldAddresses: OldAuto,
		State: StateOpen, Post: PostMembers, MaxMessageSize: 1 << 20, Subscribe: SubscribeConfirm, Notify: true, Language: "en",
		Nonmembers: NonmembersReject, Unverified: UnverifiedAccept, Spam: SpamHold, HeldNotice: HeldNoticeEach,
		Archive: true, ArchiveOptOut: true, ArchiveAccess: ArchiveMembers, Changes: changesDefaults(), Digest: DigestDaily,
		Web: WebNobody, WebAddresses: WebName, WebMBox: WebVeiled,
		Bounces: BouncesAuto, BounceDays: 5, BounceWindow: 365, SuspendDays: 30,
	}
}

// WithConfig returns the list as it would be with this list.toml, which is checked
// before it replaces the old one.
func (l *List) WithConfig(text string) (*List, error) {
	c := *l
	c.Config = Defaults()
	if err := config.Decode(l.ConfigFile(), text, &c.Config); err != nil {
		return nil, err
	}
	return &c, c.check(text)
}

// NeedsOwners refuses a list.toml without owners: mail to them could not be delivered.
func (l *List) NeedsOwners(text string) error {
	var c Config
	if err := config.Decode(l.ConfigFile(), text, &c); err != nil || len(c.Owners) > 0 {
		return err
	}
	return config.Wrong(l.ConfigFile(), text, "owners", "somebody has to answer for the list")
}

func (l *List) check(text string) (err error) {
	wrong := func(key, what string) error {
		return config.Wrong(l.ConfigFile(), text, key, what)
	}
	switch l.Post {
	case PostAnyone, PostMembers, PostModerators, PostNobody:
	default:
		return wrong("post", "must be anyone, members, moderators or nobody")
	}
	switch l.State {
	case StateOpen, StateSuspended, StateHeld, StateClosed:
	default:
		return wrong("state", "must be open, suspended, held or closed")
	}
	switch l.Nonmembers {
	case NonmembersReject, NonmembersHold, NonmembersConfirm, NonmembersDiscard:
	default:
		return wrong("nonmembers", "must be reject, hold, confirm or discard")
	}
	switch l.Unverified {
	case UnverifiedAccept, UnverifiedHold, UnverifiedConfirm:
	default:
		return wrong("unverified", "must be accept, hold or confirm")
	}
	switch l.Spam {
	case SpamAccept, SpamHold, SpamReject:
	default:
		return wrong("spam", "must be accept, hold or reject")
	}
	switch l.ArchiveAccess {
	case ArchiveMembers, ArchiveAnyone, ArchiveNobody:
	default:
		return wrong("archive_access", "must be members, anyone or nobody")
	}
	switch {
	case l.Web != WebNobody && l.Web != WebMembers && l.Web != WebAnyone:
		return wrong("web", "must be nobody, members or anyone")
	case l.Web != WebNobody && !l.Archive:
		return wrong("web", "needs archive = true")
	case l.WebAddresses != WebName && l.WebAddresses != WebLocal && l.WebAddresses != WebFull:
		return wrong("web_addresses", "must be name, local or full")
	case l.WebMBox != WebOff && l.WebMBox != WebVeiled && l.WebMBox != WebFull:
		return wrong("web_mbox", "must be off, veiled or full")
	}
	if !l.Digest.valid() {
		return wrong("digest", fmt.Sprintf("must be off, daily, weekly, or a number of posts from 1 to %d", maxSchedule))
	}
	if l.MaxNamed < 0 {
		return wrong("max_named", "must not be negative; 0 means any number")
	}
	if what := pattern.Bad(l.Allow); what != "" {
		return wrong("allow", what)
	}
	if what := pattern.Bad(l.Ban); what != "" {
		return wrong("ban", what)
	}
	if l.HeldNotice != HeldNoticeEach && l.HeldNotice != HeldNoticeDaily {
		return wrong("held_notice", "must be each or daily")
	}
	if l.Bounces != BouncesAuto && l.Bounces != BouncesNotify && l.Bounces != BouncesOff {
		return wrong("bounces", "must be auto, notify or off")
	}
	for _, days := range []struct {
		key string
		n   int
	}{{"bounce_days", l.BounceDays}, {"bounce_window", l.BounceWindow}, {"suspend_days", l.SuspendDays}} {
		if days.n < 1 || days.n > maxDays {
			return wrong(days.key, fmt.Sprintf("must be a number of days from 1 to %d", maxDays))
		}
	}
	if l.BounceWindow < l.BounceDays {
		return wrong("bounce_window", "must not be shorter than bounce_days, or nobody's score gets there")
	}
	if what := pattern.BadKind(l.AttachmentsAllow); what != "" {
		return wrong("attachments_allow", what)
	}
	if what := pattern.BadKind(l.AttachmentsRefuse); what != "" {
		return wrong("attachments_refuse", what)
	}
	if key, what := l.checkChanges(); what != "" {
		return wrong(key, what)
	}
	switch l.Subscribe {
	case SubscribeOpen, SubscribeConfirm, SubscribeApprove, SubscribeConfirmApprove, SubscribeClosed:
	default:
		return wrong("subscribe", "must be open, confirm, approve, confirm+approve or closed")
	}
	if !members.ValidLanguage(l.Language) {
		return wrong("language", `must be a language like "en", "de" or "pt-BR"`)
	}
	if l.MaxMessageSize < 1<<10 {
		return wrong("max_message_size", "must be at least 1KiB")
	}
	if i := strings.IndexFunc(l.Description, func(c rune) bool { return c < ' ' || c == 0x7f }); i >= 0 {
		return wrong("description", "must be one line without control characters")
	}
	if utf8.RuneCountInString(l.Description) > MaxDescription {
		return wrong("description", fmt.Sprintf("must be at most %d characters", MaxDescription))
	}
	if l.owners, err = Addresses(l.Owners); err != nil {
		return wrong("owners", err.Error())
	}
	if l.mods, err = Addresses(l.Moderators); err != nil {
		return wrong("moderators", err.Error())
	}
	if l.aliases, err = Addresses(l.Aliases); err != nil {
		return wrong("aliases", err.Error())
	}
	if l.OldAddresses != OldAuto && l.OldAddresses != OldOn && l.OldAddresses != OldOff {
		return wrong("old_addresses", "must be auto, on or off")
	}
	return nil
}

// Addresses parses a list of addresses.
func Addresses(list []string) ([]smtp.Path, error) {
	var paths []smtp.Path
	for _, s := range list {
		p, ok := smtp.ParseAddress(s)
		if !ok {
			return nil, fmt.Errorf("%q is not a mail address", s)
		}
		paths = append(paths, p)
	}
	return paths, nil
}
