package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/cmd/superlist/postfix"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A setup changes this host's Postfix.
type setup struct {
	c      *cobra.Command
	site   *site.Site
	server *mailServer
	host   postfix.Host
	bin    string // where superlist's programs are
}

// reload makes Postfix read its configuration, if it is running.
func (s *setup) reload() error { return reloadPostfix(s.c.Context()) }

// reloadPostfix asks for as long as it takes: on a busy host postfix(1) may need many
// seconds, and without an answer nobody knows that Postfix is not running.
func reloadPostfix(ctx context.Context) error {
	err := exec.CommandContext(ctx, "postfix", "status").Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() || errors.Is(err, exec.ErrNotFound) {
		return nil // it reads it when it starts
	}
	if err != nil {
		return fmt.Errorf("postfix status: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "postfix", "reload").CombinedOutput(); err != nil {
		return fmt.Errorf("postfix reload: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// facts returns what is known about this host.
func (s *setup) facts(domains []string) (*postfix.Facts, error) {
	f := &postfix.Facts{
		Domains:   domains,
		Transport: func(domain string) string { return s.server.lookup(s.server.setting("transport_maps"), domain) },
		Class: func(domain string) string {
			class, _ := s.server.class(domain)
			return class.domains
		},
		Bin: s.bin, MaxMessage: int64(s.site.MaxMessageSize), Kick: s.site.Kick, Relay: s.site.Relay.Address, NextHop: s.site.Proxy.NextHop,
	}
	if s.site.File() != site.DefaultConfig {
		file, err := filepath.Abs(s.site.File())
		if err != nil {
			return nil, err
		}
		f.Config = file
	}
	all, err := s.parameters("-x")
	if err != nil {
		return nil, err
	}
	f.Value = func(name string) string { return all[name] }
	f.Known = func(name string) bool { _, known := all[name]; return known }
	if f.Given, err = s.parameters("-n"); err != nil {
		return nil, err
	}
	master, err := s.server.run("postconf", "-M")
	if err != nil {
		return nil, fmt.Errorf("postconf -M: %w", err)
	}
	f.Services = postfix.Services(master)
	hostname := all["myhostname"]
	local := func(item string) bool { return item == "localhost" || strings.HasPrefix(item, "localhost.") }
	for _, item := range s.items(all["mydestination"]) {
		if strings.EqualFold(item, hostname) && !local(item) && !slices.Contains(domains, item) && !slices.Contains(f.Own, item) {
			f.Own = append(f.Own, item)
		}
	}
	f.Others = func(list string) (others []string) {
		for _, item := range s.items(all[list]) {
			mine := strings.EqualFold(item, hostname) || local(item)
			if !mine && !slices.Contains(domains, item) && !slices.Contains(others, item) {
				others = append(others, item)
			}
		}
		return others
	}
	return f, nil
}

// parameters returns what postconf(1) prints with an option.
func (s *setup) parameters(option string) (map[string]string, error) {
	out, err := s.server.run("postconf", option)
	if err != nil {
		return nil, fmt.Errorf("postconf %s: %w", option, err)
	}
	all := make(map[string]string)
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(line, "=")
		all[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return all, nil
}

// items returns the entries of a list of domains, including those in files.
func (s *setup) items(list string) (all []string) {
	for _, item := range postfix.Words(list) {
		if data, err := os.ReadFile(item); strings.HasPrefix(item, "/") && err == nil {
			all = append(all, s.items(string(data))...)
			continue
		}
		all = append(all, item)
	}
	return all
}

// domains returns the domains that have lists here. It ignores directories whose names
// are not domains: somebody else may write there, and the names go into what root's
// Postfix reads.
func (s *setup) domains(said []string) ([]string, error) {
	if said != nil {
		return domainNames(said)
	}
	entries, err := os.ReadDir(s.site.ListsDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	domains := []string{}
	for _, e := range entries {
		if ascii, ok := smtp.ASCIIDomain(e.Name()); e.IsDir() && ok && ascii == e.Name() && net.ParseIP(e.Name()) == nil {
			domains = append(domains, e.Name())
		}
	}
	return domains, err
}

// postfix shows a plan, and carries it out.
func (s *setup) postfix(way string, said []string, apply, yes, asJSON bool) (err error) {
	domains, err := s.domains(said)
	if err != nil {
		return err
	}
	unlock, err := s.site.Disk.Lock(s.host.Dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	last, state, err := s.host.Look()
	if err == nil && state == postfix.Interrupted && apply { // begin anew
		err = s.host.Back(last.Before)
	}
	if err != nil {
		return err
	}
	facts, err := s.facts(domains)
	if err != nil {
		return err
	}
	before, err := s.host.Read()
	if err != nil {
		return err
	}
	plan := postfix.New(facts, way)
	if plan.Doubt != "" && plan.Changes() && !yes && !asJSON && isTerminal(os.Stdin) {
		other, err := s.otherMail(plan.Doubt)
		if err != nil {
			return err
		}
		way, why := postfix.ListsOnly, "nothing but lists gets mail here, as you say"
		if other {
			way, why = postfix.Milter, "other mail comes here too, as you say, and a milter leaves that alone"
		}
		plan = postfix.New(facts, way)
		plan.Why = why
	}
	after := before
	if len(plan.Refused) == 0 && plan.Changes() {
		if after, err = s.edit(before, func(dir string) error { return s.put(dir, plan) }); err != nil {
			return err
		}
	}
	report := setupReport{Plan: plan, Main: s.diff("main.cf", before.Main, after.Main), Master: s.diff("master.cf", before.Master, after.Master)}
	if !asJSON {
		s.show(report, apply)
	}
	switch {
	case len(plan.Refused) > 0:
		err = &exitError{exConfig, fmt.Errorf("nothing was changed: %s", strings.Join(plan.Refused, "; "))}
	case !apply || !plan.Changes():
	case !yes && !confirm(s.c, "make these changes? type yes: "):
		err = &exitError{exUsage, errors.New("nothing was changed; say yes, or use --yes")}
	default:
		change := &postfix.Change{Before: before, From: before, After: after, Plan: plan}
		if state == postfix.Made { // and undo takes back both
			change.Before, change.Plan = last.Before, plan.Behind(last.Plan)
		}
		if err = s.host.Make(change); err != nil {
			err = fmt.Errorf("%w; %s", err, interrupted)
		} else {
			report.Changed = true
			s.say(asJSON, "Postfix brings mail for %s to superlist now; superlist check follows it\n", strings.Join(domains, ", "))
		}
	}
	if asJSON {
		if err := show(s.c, true, report, nil); err != nil {
			return err
		}
	}
	return err
}

// otherMail asks on the terminal what superlist cannot find out: whether people here get
// mail, too.
func (s *setup) otherMail(question string) (bool, error) {
	switch strings.ToLower(reply(s.c, question+" yes or no: ")) {
	case "yes", "y":
		return true, nil
	case "no", "n":
		return false, nil
	}
	return false, &exitError{exUsage, errors.New("nothing was changed; say yes or no, or name the way: --way A, or --way C if mail comes for people, too")}
}

func (s *setup) say(asJSON bool, format string, a ...any) {
	if !asJSON {
		say(s.c.OutOrStdout(), format, a...)
	}
}

func (s *setup) diff(name string, before, after []byte) string {
	path := filepath.Join(s.host.Dir, name)
	return postfix.Diff(path, path, string(before), string(after))
}

// show prints the plan for people.
func (s *setup) show(r setupReport, apply bool) {
	out := s.c.OutOrStdout()
	say(out, "way %s, %s: %s\n", r.Way, postfix.Names[r.Way], r.Why)
	for _, note := range r.Notes {
		say(out, "note: %s\n", note)
	}
	if len(r.Refused) > 0 {
		return
	}
	if !r.Changes() {
		say(out, "Postfix has all of it: nothing is to be changed; superlist check follows mail through it\n")
		return
	}
	say(out, "\n%s%s", r.Main, r.Master)
	if !apply {
		say(out, "\nto make these changes: superlist setup postfix --way %s --apply\n", r.Way)
	}
}

// edit calls change on copies of the two files, and returns the edited content.
func (s *setup) edit(files postfix.Files, change func(dir string) error) (edited postfix.Files, err error) {
	dir, err := s.site.Disk.MakeTemp(os.TempDir(), "superlist-setup-")
	if err != nil {
		return files, err
	}
	defer disk.DiscardAll(dir)
	copies := postfix.Host{Dir: dir}
	for name, data := range map[string][]byte{"main.cf": files.Main, "master.cf": files.Master} {
		if err := s.site.Disk.Replace(filepath.Join(dir, name), data); err != nil {
			return files, err
		}
	}
	if err := change(dir); err != nil {
		return files, err
	}
	return copies.Read()
}

// postconf edits a copy.
func (s *setup) postconf(dir string, args ...string) error {
	out, err := exec.CommandContext(s.c.Context(), "postconf", append([]string{"-c", dir}, args...)...).CombinedOutput()
	if text := strings.TrimSpace(string(out)); err != nil || strings.Contains(text, "fatal:") {
		return fmt.Errorf("postconf %s: %v: %s", strings.Join(args, " "), err, text)
	}
	return nil
}

// put carries out a plan on a copy.
func (s *setup) put(dir string, plan *postfix.Plan) error {
	for _, set := range plan.Settings { // one at a time, since postconf has an order of its own
		if err := s.postconf(dir, "-e", set.Name+" = "+set.Value); err != nil {
			return err
		}
	}
	for _, line := range plan.Services {
		f := postfix.Services(line)[0]
		if err := s.postconf(dir, "-M", "-e", f.Name+"/"+f.Kind+"="+line); err != nil {
			return err
		}
	}
	for _, option := range plan.Options {
		if err := s.postconf(dir, "-P", "-e", option); err != nil {
			return err
		}
	}
	return nil
}

// interrupted says what to do about an incomplete change.
const interrupted = "superlist setup postfix --apply makes the change whole, --undo takes it back"

// undo reverts a change.
func (s *setup) undo(yes, asJSON bool) (err error) {
	unlock, err := s.site.Disk.Lock(s.host.Dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	c, state, err := s.host.Look()
	if err != nil {
		return err
	}
	if state == postfix.None {
		if err := s.host.Sweep(); err != nil {
			return err
		}
		return &exitError{exUnavailable, fmt.Errorf("superlist setup postfix has changed nothing in %s", s.host.Dir)}
	}
	now, err := s.host.Read()
	if err != nil {
		return err
	}
	back := c.Before
	if state == postfix.Edited {
		if back, err = s.edit(now, func(dir string) error { return s.takeOut(dir, c.Plan) }); err != nil {
			return err
		}
	}
	report := setupReport{Plan: c.Plan, Main: s.diff("main.cf", now.Main, back.Main), Master: s.diff("master.cf", now.Master, back.Master)}
	s.say(asJSON, "%s%s", report.Main, report.Master)
	if !yes && !confirm(s.c, "take this back? type yes: ") {
		return &exitError{exUsage, errors.New("nothing was changed; say yes, or use --yes")}
	}
	if err := s.host.Back(back); err != nil {
		return err
	}
	if report.Changed = true; asJSON {
		return show(s.c, true, report, nil)
	}
	s.say(asJSON, "Postfix is as it was\n")
	return nil
}

// takeOut reverts a plan on a copy of files that were edited since. Values that are
// still as superlist set them get their old values; the rest must be reverted by hand.
func (s *setup) takeOut(dir string, plan *postfix.Plan) error {
	var wrong []string
	for _, set := range plan.Settings {
		now, err := s.server.run("postconf", "-c", dir, "-h", set.Name)
		switch {
		case err != nil:
			return err
		case strings.Join(postfix.Words(now), " ") != strings.Join(postfix.Words(set.Value), " "):
			wrong = append(wrong, fmt.Sprintf("%s is %s, and was set to %s", set.Name, now, set.Value))
		case set.Given:
			err = s.postconf(dir, "-e", set.Name+" = "+set.Was)
		default:
			err = s.postconf(dir, "-X", set.Name)
		}
		if err != nil {
			return err
		}
	}
	if wrong != nil {
		return &exitError{exConfig, fmt.Errorf("nothing was changed, since the files have been edited: %s; take that out of %s by hand, or set it back", strings.Join(wrong, "; "), s.host.Dir)}
	}
	for _, line := range plan.Services {
		f := postfix.Services(line)[0]
		if err := s.postconf(dir, "-MX", f.Name+"/"+f.Kind); err != nil {
			return err
		}
	}
	for _, option := range plan.Options {
		name, _, _ := strings.Cut(option, "=")
		if err := s.postconf(dir, "-PX", name); err != nil {
			return err
		}
	}
	return nil
}
