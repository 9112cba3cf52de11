package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"superlist/lists/access"
)

// tokenSoon is how long before its end check mentions a token.
const tokenSoon = 14 * 24 * time.Hour

// tokens checks the file of tokens, and what is in it.
func (k *checker) tokens() {
	file := access.File(k.site.ListsDir)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	tokens, bad := access.Load(k.site.ListsDir)
	switch {
	case err != nil || bad != nil && info.Mode().Perm()&0o022 == 0:
		k.wrong("tokens", errors.Join(err, bad).Error(), k.mend(errors.Join(err, bad), file))
		return
	case info.Mode().Perm()&0o077 != 0:
		k.wrong("tokens", fmt.Sprintf("%s is open to others (mode %04o)", file, info.Mode().Perm()), "chmod 0600 "+file+", and make anew what others may have changed")
		return
	}
	good, now := 0, time.Now()
	for _, t := range tokens {
		switch until := t.Expires.Format(time.DateOnly); {
		case !t.IsGood(now):
			k.warn("tokens", fmt.Sprintf("%s was good until %s", t.Name, until), "superlist token rm "+t.Name+", and superlist token new if it is still needed")
		case !t.IsGood(now.Add(tokenSoon)):
			k.warn("tokens", fmt.Sprintf("%s is good until %s only", t.Name, until), "give its program a new one: superlist token new")
			good++
		default:
			good++
		}
	}
	if good > 0 && !k.site.Web.Requests {
		k.warn("tokens", "nothing answers them: requests is false below [web]", "set up superlist-web (docs/web.md), and say requests = true in "+k.site.File())
		return
	}
	k.ok("tokens", "%d good", good)
}
