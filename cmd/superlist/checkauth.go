package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/account"
	"superlist/lists/config"
)

// auth checks the log-in as a session uses it.
func (k *checker) auth() {
	a := k.site.Auth
	if a.Offered() == nil {
		return
	}
	server := account.Open(k.site)
	defer server.Close()
	served, err := server.Mechanisms()
	if err != nil {
		mend := "until this is fixed nobody can log in"
		if more := k.mendAuth(err); more != "" {
			mend += "; " + more
		}
		k.wrong("auth", err.Error(), mend)
		return
	}
	if a.PasswdFile != "" && len(served) == 0 {
		k.warn("auth", a.PasswdFile+" has no accounts, so nobody can log in", "superlist passwd USER")
		return
	}
	both := slices.DeleteFunc(slices.Clone(a.Mechanisms), func(m string) bool { return !slices.Contains(served, m) })
	if len(both) == 0 {
		text := fmt.Sprintf("mechanisms has %s, and none of them works for every account", strings.Join(a.Mechanisms, ", "))
		mend := "give them verifiers with superlist passwd --scheme, or add PLAIN to mechanisms"
		if a.Dovecot != "" {
			text = fmt.Sprintf("mechanisms has %s, and Dovecot serves %s", strings.Join(a.Mechanisms, ", "), strings.Join(served, ", "))
			mend = "set auth_mechanisms in Dovecot, or mechanisms here"
		}
		k.wrong("auth", text, mend)
		return
	}
	where := "Dovecot answers at " + a.Dovecot
	if a.PasswdFile != "" {
		where = "accounts in " + a.PasswdFile
	}
	k.ok("auth", "%s, with %s", where, strings.Join(both, ", "))
}

// mendAuth returns advice about an error that keeps everybody from logging in; empty if
// the error contains it.
func (k *checker) mendAuth(err error) string {
	var config *config.Error
	var path *fs.PathError
	var socket *net.OpError
	switch {
	case errors.As(err, &config) && config.Line > 0:
		return "fix that line"
	case errors.As(err, &config):
		return ""
	case errors.As(err, &socket) && errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("let %s write to it: user = %s in Dovecot's unix_listener", k.user(), k.user())
	case errors.As(err, &socket) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED)):
		return "start Dovecot, and have a unix_listener there in its service auth"
	case k.site.Auth.Dovecot != "":
		return "see the log of Dovecot"
	case errors.As(err, &path) && errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("chown %s %s", k.user(), path.Path)
	}
	return ""
}
