package edit

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/settings"
	"superlist/smtp"
)

// An InputError is something given by hand that cannot be used.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

func inputError(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}

// Create makes a list: its directory, complete, by one rename. It begins with the site's
// defaults. settings are lines of list.toml, "key=value". fs.ErrExist: there is such a
// list already.
func Create(s lists.Directory, addr smtp.Path, owners []smtp.Path, settings []string) (*lists.List, error) {
	domain, _ := smtp.ASCIIDomain(addr.Domain)
	begin, err := Defaults(s, domain)
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

// NewConfig is the list.toml of a new list, with its comments. settings are
// lines of it, "key=value".
func NewConfig(owners []smtp.Path, settings []string) (text string, err error) {
	text = template(owners)
	for _, setting := range settings {
		if text, err = setKey(text, setting); err != nil {
			return "", err
		}
	}
	return text, nil
}

// template is a new list's list.toml.
func template(owners []smtp.Path) string {
	var addresses []string
	for _, owner := range owners {
		addresses = append(addresses, owner.Address())
	}
	return strings.Replace(settings.List, "\nowners = []\n", "\nowners = "+listTOML(addresses)+"\n", 1)
}
