package acts

import (
	"strings"

	"superlist/lists/maillog"
)

// Words returns what happened, as words to follow the name of whoever did it; "" if the
// entry is not an act.
func Words(e maillog.Entry) string {
	member := e.Address("member")
	switch e.Event {
	case "created":
		return "created the list; owners: " + e.Get("owners")
	case "moved":
		return "gave the list its address; before it was " + e.Address("from")
	case "imported":
		return "imported " + Count(e, "members", "member") + " from " + e.Get("from")
	case "restored":
		return "restored the list from " + e.Get("from")
	case "removed":
		if n := e.Get("number"); n != "" {
			return "removed post " + n + " from the archive: " + e.Get("reason")
		}
		return "removed the list with " + Count(e, "members", "member") + " and " + Count(e, "posts", "kept post")
	case "pruned":
		return "removed " + Count(e, "posts", "post") + " from the archive, up to number " + e.Get("upto")
	case "set":
		if added := e.Address("added"); added != "" {
			return "added " + added + " to " + e.Get("key")
		}
		return "set " + e.Get("key") + " to " + quoted(e.Get("value")) + "; before it was " + quoted(e.Get("was"))
	case "subscribed":
		if e.Get("new") == "false" {
			return "wanted to add " + member + ", who was a member already"
		}
		return "added " + someone(e, member)
	case "unsubscribed":
		if e.Get("was") == "false" {
			return "wanted to remove " + member + ", who was not a member"
		}
		return "removed " + someone(e, member)
	case "erased":
		return "erased everything about " + member
	case "changed":
		if as := e.Get("as"); as != "" {
			return "changed the address of " + member + " to " + e.Address("to") + ", as " + as
		}
		if to := e.Get("to"); to != "" {
			if e.Get("is") == "false" {
				return "wanted to change how posts reach " + member + ", who was not a member"
			}
			return "changed how posts reach " + member + ": " + strings.TrimPrefix(to, "changed-")
		}
		if member == "" {
			return "changed " + someone(e, member)
		}
		if e.Get("words") == "" {
			return "changed " + member + ": no words any more; before they were " + quoted(e.Get("was"))
		}
		return "changed " + member + " to " + quoted(e.Get("words")) + "; before it was " + quoted(e.Get("was"))
	case "decided":
		if about := e.Address("about"); about != "" {
			if e.Get("yes") == "true" {
				return "let " + about + " join"
			}
			return "did not let " + about + " join"
		}
		return "decided about a held post of " + e.Address("author") + ": " + e.Get("what")
	case bounced:
		return member + ": " + e.Words + ", " + e.Get("reason")
	}
	return ""
}

// someone returns the member that a line is about. A line that stands for several
// members names none.
func someone(e maillog.Entry, member string) string {
	if member == "" {
		return "more members"
	}
	return member
}

// Count returns a number of an entry with its noun: no members, 1 member, 2 members.
func Count(e maillog.Entry, key, noun string) string {
	switch n := strings.TrimLeft(e.Get(key), "0"); n {
	case "":
		return "no " + noun + "s"
	case "1":
		return "1 " + noun
	default:
		return n + " " + noun + "s"
	}
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return `"` + s + `"`
}
