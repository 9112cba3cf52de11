package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"superlist/e2e/unpack"
)

// A textBrowser is a browser in a terminal, and the keys that it has for what people do.
type textBrowser struct {
	*terminal
	name  string
	goTo  string // asks for an address
	top   string // goes to the top of the page
	field bool   // a field is opened by Enter, and closed by it
	err   error  // what was wrong first
}

// browse starts a browser.
func (h *host) browse(name string) (*textBrowser, error) {
	path, env, err := program(name)
	if err != nil {
		return nil, err
	}
	b, argv := &textBrowser{name: name}, []string{path}
	switch name {
	case "w3m":
		b.goTo, b.top, b.field = "U", "g", true
	case "lynx":
		b.goTo, b.top = "g", "C-a"
		if _, err := os.Stat("/etc/lynx/lynx.cfg"); err != nil {
			dir, _, err := unpack.Debian("lynx-common")
			if err != nil {
				return nil, err
			}
			argv = append(argv, "-cfg="+dir+"/etc/lynx/lynx.cfg", "-lss="+dir+"/etc/lynx/lynx.lss")
		}
	}
	dir := filepath.Join(h.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	env = append(env, "HOME="+dir, "LC_ALL=C.UTF-8", "EDITOR=false", "http_proxy=http://127.0.0.1:"+h.port+"/", "no_proxy=")
	b.terminal, err = newTerminal(dir, env, append(argv, "http://"+domain+"/dev/")...)
	return b, err
}

// do goes on, unless something was wrong before.
func (b *textBrowser) do(what func() error) {
	if b.err == nil {
		b.err = what()
	}
}

func (b *textBrowser) keys(keys ...string) { b.do(func() error { return b.press(keys...) }) }

func (b *textBrowser) write(text string) { b.do(func() error { return b.terminal.write(text) }) }

// has waits until the screen has a text, and answers on the way what lynx asks of everybody:
// whether it may keep a cookie.
func (b *textBrowser) has(text string) {
	b.do(func() error {
		_, err := b.until(fmt.Sprintf("%q", text), func(s screen) bool {
			if strings.Contains(s.String(), "llow? (Y/N/Always/neVer)") {
				b.press("A")
			}
			return s.has(text)
		})
		return err
	})
}

// open goes to an address.
func (b *textBrowser) open(address, has string) {
	b.keys(b.goTo)
	b.has("URL")
	b.keys("C-a", "C-k")
	b.write(address)
	b.keys("Enter")
	b.has(has)
}

// to goes on, link by link and field by field, until one is reached; from the last one it
// goes on at the top.
func (b *textBrowser) to(what string, is func(above, before, after string) bool) {
	b.do(func() error {
		const most = 300
		tops := 0
		for range most {
			s, err := b.screen()
			if err != nil {
				return err
			}
			if is(s.under()) {
				return nil
			}
			if err := b.press("Tab"); err != nil {
				return err
			}
			if b.moved(s) {
				continue
			}
			if tops++; tops > 2 {
				break
			}
			if err := b.press(b.top); err != nil {
				return err
			}
			b.moved(s)
		}
		s, _ := b.screen()
		return fmt.Errorf("nobody gets to %q by keyboard; the screen is\n%s", what, s)
	})
}

// moved reports whether a key had an effect, before long.
func (b *textBrowser) moved(from screen) bool {
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if now, err := b.screen(); err != nil || now.x != from.x || now.y != from.y || now.String() != from.String() {
			return true
		}
	}
	return false
}

// marks is what text browsers put before a box, and lynx before a button.
var marks = regexp.MustCompile(`^[ *X]*([(\[][^)\]]*)?[)\]]? ?`)

// toLabel goes to a link, a button or a box by what it says.
func (b *textBrowser) toLabel(text string) {
	b.to(text, func(_, _, after string) bool {
		return strings.HasPrefix(marks.ReplaceAllString(after, ""), text)
	})
}

// follow follows a link, or presses a button, that begins with a text.
func (b *textBrowser) follow(text, has string) {
	b.toLabel(text)
	b.keys("Enter")
	b.has(has)
}

// tick ticks a box, or chooses one of several.
func (b *textBrowser) tick(label string) {
	b.toLabel(label)
	b.keys("Enter")
}

// fill fills in the field that has a label.
func (b *textBrowser) fill(label, text string) {
	b.to(label, func(above, before, _ string) bool {
		return strings.TrimSpace(above) == label || strings.Trim(before, " [") == label
	})
	if b.field {
		b.keys("Enter")
		b.has("TEXT:")
	}
	b.keys("C-a", "C-k")
	b.write(text)
	if b.field {
		b.keys("Enter")
	} else {
		b.keys("Tab")
	}
}

// again presses a button once more if the page says so, as it does to whoever is as fast as
// a program.
func (b *textBrowser) again(button, has string) {
	b.do(func() error {
		s, err := b.screen()
		if err == nil && s.has("once more") {
			time.Sleep(3 * time.Second) // as the page wants it
			b.follow(button, has)
		}
		return cmp.Or(err, b.err)
	})
	b.has(has)
}

// letter opens the page of a list that the newest letter to somebody has a link to.
func (b *textBrowser) letter(h *host, to, list, page, has string) {
	link := ""
	b.do(func() (err error) {
		link, err = h.letter(to, list, page)
		return err
	})
	b.open(link, has)
}

// letter returns the address of the page of a list that the newest letter to somebody has.
func (h *host) letter(to, list, page string) (string, error) {
	if err := h.run("", "superlist", "deliver"); err != nil {
		return "", err
	}
	all, err := filepath.Glob(filepath.Join(h.dir, "mail", to, "new", "*"))
	if err != nil {
		return "", err
	}
	links := regexp.MustCompile(`http://` + domain + `/` + list + `/` + page + `/[\w-]+`)
	link, newest := "", time.Time{}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		if found := links.Find(text); found != nil && !info.ModTime().Before(newest) {
			link, newest = string(found), info.ModTime()
		}
	}
	if link == "" {
		return "", fmt.Errorf("none of %d letters to %s has a link to %s", len(all), to, page)
	}
	return link, nil
}

// is has deliver carry out what was asked for, and looks whether a command shows a text
// then, or does not.
func (b *textBrowser) is(h *host, command string, has bool, want string) {
	b.do(func() error {
		if err := h.run("", "superlist", "deliver"); err != nil {
			return err
		}
		args := append([]string{"-c", h.site.File()}, strings.Fields(command)...)
		out, err := exec.Command(h.programs+"/superlist", args...).CombinedOutput()
		if err != nil || strings.Contains(string(out), want) != has {
			return fmt.Errorf("superlist %s: %v: %s, and %q: %t", command, err, out, want, has)
		}
		return nil
	})
}

// byKeyboard does in w3m and in lynx all that pages are for.
func (h *host) byKeyboard() error {
	for _, name := range []string{"w3m", "lynx"} {
		b, err := h.browse(name)
		if err != nil {
			return err
		}
		b.reads()
		b.takesPart(h, name+"-users")
		b.close()
		if b.err != nil {
			return fmt.Errorf("%s: %w", name, b.err)
		}
		fmt.Println(name + ": everything can be done by keyboard")
	}
	if len(h.foreign) > 0 {
		return fmt.Errorf("a page asks for %q", h.foreign)
	}
	return nil
}

// reads reads the archive: the front page, a thread, a post, and what a search finds.
func (b *textBrowser) reads() {
	b.has("Development of the frobnicator")
	b.follow("Does anybody still use", "4 posts, 3 authors")
	b.has("the old parser in the next release. It is 2,300 lines,")
	b.follow("post 2", "In reply to Alice Liddell")
	b.follow("The whole thread", "Bob Builder")
	b.open("http://"+domain+"/dev/", "Latest threads")
	b.fill("Search the posts", "parser from:bob")
	b.follow("Search", "1 post found.")
	b.follow("Re: Does anybody", "In reply to Alice Liddell")
}

// takesPart joins a list, changes options and leaves, decides as a moderator, and changes a
// setting as an owner.
func (b *textBrowser) takesPart(h *host, list string) {
	base, address := "http://"+domain+"/"+list+"/", list+"@"+domain
	b.do(func() error {
		_, err := h.newList(list)
		return err
	})
	// Join.
	b.open(base+"join", "Your mail address")
	b.fill("Your mail address", "carol@example.com")
	b.fill("Your name (optional)", "Carol")
	b.tick("not at all")
	b.follow("Join", "Please")
	b.again("Join", "Please check your mail")
	b.letter(h, "carol@example.com", list, "c", "is to be subscribed")
	b.follow("Yes, that is right", "Thank you")
	b.is(h, "member export "+address, true, "carol@example.com nomail name=Carol")

	// Log in by a letter, change the options, leave.
	b.open(base+"options", "There are no passwords")
	b.fill("Your mail address", "carol@example.com")
	b.follow("Send me the link", "Please check your mail")
	b.letter(h, "carol@example.com", list, "options", "Go on as yourself")
	b.follow("Go on", "These are the options of carol@example.com")
	b.tick("each in a mail")
	b.fill("No posts before this day", "2099-12-31")
	b.tick("no copy of what I write myself")
	b.follow("Save", "Your choice has arrived")
	b.is(h, "member export "+address, true, "carol@example.com vacation=2099-12-31 noown name=Carol")
	b.open(base+"options", "These are the options of carol@example.com")
	b.follow("Leave the list", "You are off the list")
	b.is(h, "member export "+address, false, "carol@example.com")

	// Moderate, and change a setting.
	b.do(func() error { return h.hold(list, "May I?") })
	b.letter(h, "olga@example.org", list, "mod", "Go on as yourself")
	b.follow("Go on", "Waiting for a decision")
	b.has("From ann@example.com")
	b.tick("May I?")
	b.follow("Accept", "Decided")
	b.is(h, "archive ls "+address, true, "May I?")
	b.follow(base+"mod", "Waiting for a decision")
	b.follow("Settings", "Change what you like")
	b.fill("subject_prefix", "[users]")
	b.follow("Show what would change", "Nothing has been changed yet")
	b.follow("Make these changes", "Your request is on its way")
	b.is(h, "list show "+address, true, "[users]")
}
