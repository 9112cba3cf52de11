package request

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists/access"
)

// Settings that reach beyond their list: a file of the host that goes to all members,
// perhaps the key of another list, and addresses that mail for somebody else may have.
var (
	ofHost   = []string{"footer_file"}
	ofDomain = []string{"aliases", "old_addresses"}
)

// ReachesOut says why a request may not give these settings, each as "key=value"; empty if
// it may. An owner changes what concerns the list, by a page; t is nil then. A token may
// change further addresses of lists if it is for all lists.
func ReachesOut(settings []string, t *access.Token) string {
	for _, setting := range settings {
		key, _, _ := strings.Cut(setting, "=")
		key = strings.Trim(key, " \t\"'")
		if slices.Contains(ofHost, key) || slices.Contains(ofDomain, key) && (t == nil || !slices.Contains(t.Lists, access.AllLists)) {
			return fmt.Sprintf("%s reaches beyond the list: only the operator can change it, with superlist list set", key)
		}
	}
	return ""
}
