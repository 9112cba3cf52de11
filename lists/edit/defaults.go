package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/textfile"
	"superlist/lists/tomltext"
	"superlist/queue/disk"
	"superlist/smtp"
)

// DefaultsFile is the file in lists_dir with the settings of new lists: keys of
// list.toml, and a table of such keys for each domain that differs. It does not affect
// existing lists.
const DefaultsFile = "defaults.toml"

// siteDefaults is the content of the file.
type siteDefaults struct {
	lists.Config
	domains map[string]*domainDefaults
}

// Keys returns the keys of list.toml, followed by a table for each domain.
func (d *siteDefaults) Keys() []config.Key {
	keys := d.Config.Keys()
	for _, domain := range slices.Sorted(maps.Keys(d.domains)) {
		keys = append(keys, config.Key{Name: domain, To: config.Sub{Table: d.domains[domain]}})
	}
	return keys
}

// domainDefaults start from the defaults of all domains, which have been read by the
// time a table is.
type domainDefaults struct {
	lists.Config
	site *siteDefaults
}

// Keys returns the keys of list.toml.
func (d *domainDefaults) Keys() []config.Key {
	d.Config = d.site.Config
	return d.Config.Keys()
}

// defaultsFor returns the initial settings of a list in a domain, in the form that Set
// takes. Without a file there are none. A mistake in the file is a *config.Error.
func defaultsFor(s lists.Directory, domain string) ([]string, error) {
	d, err := readDefaults(s)
	if err != nil || d == nil {
		return nil, err
	}
	if own := d.domains[domain]; own != nil {
		return Differing(own.Config, lists.Defaults()), nil
	}
	return Differing(d.Config, lists.Defaults()), nil
}

// Differing returns the settings that turn from into to, in the form that Set takes.
func Differing(to, from lists.Config) (settings []string) {
	before := from.Keys()
	for i, key := range to.Keys() {
		now := key.Value()
		if reflect.DeepEqual(now, before[i].Value()) {
			continue
		}
		var value string
		switch now := now.(type) {
		case []string:
			value = tomltext.List(now)
		case bool, int:
			value = fmt.Sprint(now)
		default:
			value = tomltext.Quote(fmt.Sprint(now))
		}
		settings = append(settings, key.Name+"="+value)
	}
	return settings
}

// CheckDefaults returns an error if the file exists and cannot be used.
func CheckDefaults(s lists.Directory) error {
	_, err := readDefaults(s)
	return err
}

func readDefaults(s lists.Directory) (*siteDefaults, error) {
	file := filepath.Join(s.Root, DefaultsFile)
	raw, _, err := disk.ReadRegular(file, unix.O_RDONLY, config.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text := string(textfile.Plain(raw))
	wrong := func(key, what string) error {
		return config.Wrong(file, text, key, what)
	}
	d := &siteDefaults{Config: lists.Defaults(), domains: make(map[string]*domainDefaults)}
	var tables map[string]any
	toml.Decode(text, &tables) // what is wrong in it, config.Decode says
	for name, value := range tables {
		if _, is := value.(map[string]any); !is {
			continue
		}
		if ascii, ok := smtp.ASCIIDomain(name); !ok || ascii != name {
			return nil, wrong(name, "a table must have the name of a domain, as the DNS has it")
		}
		d.domains[name] = &domainDefaults{site: d}
	}
	if err := config.Decode(file, text, d); err != nil {
		return nil, err
	}
	all := []lists.Config{d.Config}
	for _, domain := range slices.Sorted(maps.Keys(d.domains)) {
		all = append(all, d.domains[domain].Config)
	}
	for _, c := range all {
		if len(c.Aliases) > 0 {
			return nil, wrong("aliases", "cannot be those of every list")
		}
		// The values are checked like those of a list.
		list, err := NewConfig(nil, Differing(c, lists.Defaults()))
		if err == nil {
			_, err = s.At(s.Root).WithConfig(list)
		}
		var bad *config.Error
		var input *InputError
		switch {
		case errors.As(err, &bad):
			return nil, wrong(bad.Key, bad.Text)
		case errors.As(err, &input):
			return nil, wrong(strings.SplitN(input.Error(), ":", 2)[0], input.Error())
		case err != nil:
			return nil, err
		}
	}
	return d, nil
}
