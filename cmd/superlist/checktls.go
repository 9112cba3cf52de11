package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"superlist/lists/entry"
	"superlist/lists/tlsserver"
)

// renewalTime is how long before its end a certificate should have been replaced:
// certbot does so thirty days before, so with two weeks left something is broken.
const renewalTime = 14 * 24 * time.Hour

// session checks that superlist-spawn can become superlist-session.
func (k *checker) session() {
	about := "tls"
	switch {
	case !k.site.HandsOver():
		return
	case k.site.TLS:
	case k.site.HeloCheck:
		about = "helo_check"
	default:
		about = "auth"
	}
	dir, err := spawnDir()
	if err != nil {
		k.warn(about, err.Error(), "")
		return
	}
	if err := entry.CheckProgram(filepath.Join(dir, entry.SessionProgram)); err != nil {
		k.wrong(about, err.Error(), fmt.Sprintf("install %s beside superlist-spawn, in %s", entry.SessionProgram, dir))
	}
}

// spawnDir returns the directory of superlist-spawn: this program's own, or one in
// PATH.
func spawnDir() (string, error) {
	self, err := os.Executable()
	if err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(self), "superlist-spawn")); err == nil {
			return filepath.Dir(self), nil
		}
	}
	spawn, err := exec.LookPath("superlist-spawn")
	if err != nil {
		return "", errors.New("superlist-spawn is neither beside this program nor on the PATH")
	}
	return filepath.Dir(spawn), nil
}

// tls checks the certificate and the key as a session uses them.
func (k *checker) tls() {
	if !k.site.TLS {
		return
	}
	k.keyMode()
	pair, err := tlsserver.Pair(k.site)
	if err != nil {
		k.wrong("tls", err.Error(), "until this is fixed STARTTLS is answered with 454; "+k.mendTLS(err))
		return
	}
	if k.site.SSLVerifyClient != "none" {
		if _, err := tlsserver.Pool(k.site.SSLCAFile); err != nil {
			k.wrong("tls", err.Error(), "until this is fixed STARTTLS is answered with 454; "+k.mendTLS(err))
			return
		}
	}
	k.certificate(pair.Leaf)
}

// mendTLS returns advice about a TLS file that cannot be read.
func (k *checker) mendTLS(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission) && errors.As(err, &path):
		return fmt.Sprintf("let %s read it: chgrp %s %s; chmod 0640 %s", k.user(), k.user(), path.Path, path.Path)
	case errors.Is(err, fs.ErrNotExist):
		return "put it there, or set tls = false"
	}
	return "it must be PEM, and certificate and key belong together"
}

// keyMode warns if everybody may read the key.
func (k *checker) keyMode() {
	file := k.site.SSLServerKey
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o007 != 0 {
		k.warn("tls", fmt.Sprintf("%s is open to everybody (%v)", file, info.Mode().Perm()), "chmod o= "+file)
	}
}

// certificate checks how long the certificate is valid, and for which names.
func (k *checker) certificate(cert *x509.Certificate) {
	file := k.site.SSLServerCrt
	until := cert.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	switch left := time.Until(cert.NotAfter); {
	case left < 0:
		k.wrong("tls", fmt.Sprintf("%s expired on %s", file, until), "renew it; the next session reads the new one")
		return
	case time.Now().Before(cert.NotBefore):
		k.wrong("tls", fmt.Sprintf("%s is not good before %s", file, cert.NotBefore.UTC().Format("2006-01-02 15:04 MST")), "look at the clock of this host")
		return
	case left < renewalTime:
		k.warn("tls", fmt.Sprintf("%s expires on %s", file, until), "renew it; the next session reads the new one")
	}
	if err := cert.VerifyHostname(k.site.Hostname); err != nil {
		k.warn("tls", fmt.Sprintf("%s: %v", file, err), "get one for the name in hostname, or clients that verify it will refuse it")
		return
	}
	k.ok("tls", "certificate for %s until %s", k.site.Hostname, until)
}
