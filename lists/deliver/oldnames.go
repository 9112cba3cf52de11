package deliver

import (
	"strconv"
	"strings"

	"superlist/lists/heldpost"
	"superlist/queue"
)

// oldAfter returns what a message of the previous version waits for: it was encoded in
// the name and not in the head. It goes away after one release.
func oldAfter(id string) []queue.After {
	if strings.HasPrefix(id, "digest-") {
		return []queue.After{{What: queue.AfterDigest, ID: id}}
	}
	if reminder, ok := strings.CutPrefix(id, "summary-"); ok {
		return []queue.After{{What: queue.AfterSummary, ID: reminder}}
	}
	inbound, rest, ok := cutLast(id, ".")
	if !ok { // what an operator has decided, or nobody: NAME-decided-p, NAME-expired
		if name, _, _ := strings.Cut(id, "-"); heldpost.IsName(name) {
			return []queue.After{{What: queue.AfterHeld, ID: name}}
		}
		return nil
	}
	rest, _, _ = strings.Cut(rest, "-") // -delivered, -failed, -notice, -owners, -waits, -to2
	k, err := strconv.Atoi(rest)
	if err != nil || k < 0 {
		return nil
	}
	return []queue.After{{What: queue.AfterInbound, ID: inbound, K: k}}
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
