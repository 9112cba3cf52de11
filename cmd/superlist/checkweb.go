package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/web"
)

// pages checks that the pages of a list can be written and are up to date.
func (k *checker) pages(l *lists.List) {
	k.atWeb(l)
	about := l.Addr.Address()
	again := "superlist web " + about
	if l.Web == lists.WebNobody {
		if web.Kept(l) {
			k.wrong(about, "web: it has pages, and should have none", again)
		}
		return
	}
	if l.Web == lists.WebMembers {
		if !k.site.Web.Requests {
			k.wrong(about, "web: only superlist-web shows pages to members, and requests is false below [web]", "set up superlist-web (docs/web.md), and say requests = true in "+k.site.File())
			return
		}
		k.progress(l)
		return
	}
	root := k.site.Web.Root
	if _, err := os.Stat(root); err != nil {
		k.wrong(about, "web: "+err.Error(), k.publicDir(root))
		return
	}
	if err := unix.Access(root, unix.W_OK); err != nil && k.isUser() {
		k.wrong(about, fmt.Sprintf("web: %s cannot be written: %v", root, err), k.publicDir(root))
		return
	}
	k.progress(l)
}

// progress says how many posts wait for their pages.
func (k *checker) progress(l *lists.List) {
	about := l.Addr.Address()
	again := "superlist web " + about
	if done, of := web.Of(k.site, l).Progress(); done < of {
		k.warn(about, fmt.Sprintf("web: the pages of %d of %d posts are up to date", done, of), again+", or wait: each superlist deliver writes some")
	}
}

// publicDir returns the command that makes the directory of pages.
func (k *checker) publicDir(dir string) string {
	return fmt.Sprintf("install -d -o %s -m 0755 %s", k.user(), dir)
}
