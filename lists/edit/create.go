package edit

import (
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/settings"
	"superlist/lists/tomltext"
	"superlist/smtp"
)

// An InputError reports unusable input that somebody gave by hand.
type InputError = tomltext.InputError

func inputError(format string, args ...any) error { return tomltext.Errorf(format, args...) }

// Create creates a list: one rename publishes its complete directory. The list starts
// with the site's defaults. settings are lines of list.toml, "key=value". The error is
// fs.ErrExist if the list exists already.
func Create(s lists.Directory, addr smtp.Path, owners []smtp.Path, settings []string) (*lists.List, error) {
	domain, _ := smtp.ASCIIDomain(addr.Domain)
	begin, err := defaultsFor(s, domain)
	if err != nil {
		return nil, err
	}
	if len(owners) > 0 { // and not those of every list
		begin = slices.DeleteFunc(begin, func(setting string) bool { return strings.HasPrefix(setting, "owners=") })
	}
	text, err := NewConfig(owners, append(begin, settings...))
	if err != nil {
		return nil, err
	}
	d, err := Begin(s, addr, text)
	if err != nil {
		return nil, err
	}
	defer d.Abort()
	return d.Publish()
}

// NewConfig returns the list.toml of a new list, with its comments. settings are lines
// of it, "key=value".
func NewConfig(owners []smtp.Path, settings []string) (text string, err error) {
	text = template(owners)
	for _, setting := range settings {
		if text, err = tomltext.SetKey(text, setting); err != nil {
			return "", err
		}
	}
	return text, nil
}

// template returns a new list's list.toml.
func template(owners []smtp.Path) string {
	var addresses []string
	for _, owner := range owners {
		addresses = append(addresses, owner.Address())
	}
	return strings.Replace(settings.List, "\nowners = []\n", "\nowners = "+tomltext.List(addresses)+"\n", 1)
}
