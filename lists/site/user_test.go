package site

import (
	"errors"
	"os"
	"strings"
	"testing"

	"superlist/lists/config"
)

// TestBecomeUser: what goes wrong before any right is given up. What happens
// when all is well needs a process of its own.
func TestBecomeUser(t *testing.T) {
	for user, want := range map[string]string{
		"":             "",
		"no-such-user": `:2: user: there is no user "no-such-user"; make it with: useradd --system no-such-user`,
		"root":         `:2: user: must not be root; "" leaves the user as it is`,
	} {
		s := testSite(t, "")
		s.User = user
		s.text = "# for the line\nuser = \"" + user + "\"\n"
		err := s.BecomeUser()
		if os.Geteuid() != 0 || want == "" {
			if err != nil { // it is somebody else already, and stays so
				t.Errorf("%q: %v", user, err)
			}
			continue
		}
		var config *config.Error
		if !errors.As(err, &config) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v", user, err)
		}
	}
}
