package account

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/config"
	"superlist/queue/disk"
	"superlist/smtp"
	"superlist/smtp/sasl"
)

const (
	// maxFile is the largest passwd file, in bytes: every session that logs in reads
	// it, and some ten thousand accounts fit. More should be in Dovecot.
	maxFile = 4 << 20
	// maxName is the longest name of an account, in bytes: an address fits.
	maxName = smtp.MaxPath
)

// A File is a passwd file as it was read.
type File struct {
	Accounts []Account // by name, in the order of the file
}

// An Account is somebody who may log in.
type Account struct {
	Name      string
	Addresses []smtp.Path // those in the file; the name counts too if it is an address

	verifiers []verifier        // the best first; at least one
	hash      [sha256.Size]byte // of the name, for comparison in constant time
}

// Schemes returns the schemes of the account's verifiers, the best first.
func (a Account) Schemes() []string {
	var all []string
	for _, v := range a.verifiers {
		all = append(all, v.scheme())
	}
	return all
}

// verifier returns the verifier of a scheme, or nil.
func (a Account) verifier(scheme string) verifier {
	for _, v := range a.verifiers {
		if v.scheme() == scheme {
			return v
		}
	}
	return nil
}

// Authors returns the addresses that the account may post as.
func (a Account) Authors() []smtp.Path {
	authors := slices.Clone(a.Addresses)
	if p, ok := smtp.ParseAddress(a.Name); ok {
		authors = append(authors, p)
	}
	return authors
}

// fold returns a name in the form for comparison.
func fold(name string) string { return strings.ToLower(name) }

// Read reads a passwd file. An error is a *config.Error if the administrator has
// something to correct.
func Read(path string) (*File, error) {
	text, mode, err := readText(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &config.Error{File: path, Text: "there is no such file; make it with: superlist passwd USER"}
	case err != nil:
		return nil, err
	case mode&0o027 != 0:
		return nil, &config.Error{File: path, Text: fmt.Sprintf("others may read or change it (mode %04o); say: chmod 0600 %s", mode, path)}
	}
	return parseFile(path, text)
}

func readText(path string) (text string, mode fs.FileMode, err error) {
	raw, info, err := disk.ReadRegular(path, unix.O_RDONLY, maxFile)
	if err != nil {
		return "", 0, err
	}
	if info.Size() > maxFile {
		err = tooLarge(path)
	}
	return string(raw), info.Perm(), err
}

func tooLarge(path string) error {
	return &config.Error{File: path, Text: fmt.Sprintf("larger than %d bytes; let Dovecot keep so many accounts", maxFile)}
}

func parseFile(path, text string) (*File, error) {
	file := new(File)
	index := make(map[string]int)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, v, addresses, err := parseLine(line)
		if err == nil {
			err = file.add(index, name, v, addresses)
		}
		if err != nil {
			return nil, &config.Error{File: path, Line: n, Text: err.Error()}
		}
	}
	for _, a := range file.Accounts {
		slices.SortFunc(a.verifiers, func(x, y verifier) int {
			return cmp.Compare(slices.Index(Schemes, x.scheme()), slices.Index(Schemes, y.scheme()))
		})
	}
	return file, nil
}

// add adds a line to its account. The addresses of an account's lines add up.
func (f *File) add(index map[string]int, name string, v verifier, addresses []smtp.Path) error {
	i, ok := index[fold(name)]
	if !ok {
		i = len(f.Accounts)
		index[fold(name)] = i
		f.Accounts = append(f.Accounts, Account{Name: name, hash: sha256.Sum256([]byte(fold(name)))})
	}
	a := &f.Accounts[i]
	if a.Name != name {
		return fmt.Errorf("%q is %q, which is there already", name, a.Name)
	}
	if a.verifier(v.scheme()) != nil {
		return fmt.Errorf("%q has a second line with %s", name, v.scheme())
	}
	a.verifiers = append(a.verifiers, v)
	a.Addresses = append(a.Addresses, addresses...)
	return nil
}

// parseLine parses "name:verifier" or "name:verifier:address,address".
func parseLine(line string) (name string, v verifier, addresses []smtp.Path, err error) {
	f := strings.Split(line, ":")
	if len(f) < 2 || len(f) > 3 {
		return "", nil, nil, errors.New("a line is NAME:VERIFIER or NAME:VERIFIER:ADDRESSES")
	}
	if name, err = CheckName(f[0]); err != nil {
		return "", nil, nil, err
	}
	if v, err = parseVerifier(f[1]); err != nil {
		return "", nil, nil, err
	}
	if len(f) == 3 {
		addresses, err = parseAddresses(strings.Split(f[2], ","))
	}
	return name, v, addresses, err
}

func parseAddresses(words []string) (addresses []smtp.Path, err error) {
	for _, word := range words {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		p, ok := smtp.ParseAddress(word)
		if !ok || strings.ContainsAny(word, ":,") {
			return nil, fmt.Errorf("%q is not a mail address that can stand in this file", word)
		}
		addresses = append(addresses, p)
	}
	return addresses, nil
}

// CheckName returns a name in the form used in the file: SASLprep, RFC 4013.
func CheckName(name string) (string, error) {
	prepared, err := sasl.Prepare(name)
	switch {
	case name == "":
		return "", errors.New("the name is empty")
	case err != nil:
		return "", fmt.Errorf("%q cannot be a name: %w", name, err)
	case len(prepared) > maxName:
		return "", fmt.Errorf("a name has at most %d bytes", maxName)
	case strings.ContainsAny(prepared, ":") || strings.HasPrefix(prepared, "#") || strings.TrimSpace(prepared) != prepared:
		return "", fmt.Errorf("%q cannot be a name: it must not have a colon, begin with #, or have spaces around it", name)
	}
	return prepared, nil
}

// find looks a name up. It takes the same time whether the name exists or not.
func (f *File) find(name string) (Account, bool) {
	hash := sha256.Sum256([]byte(fold(name)))
	found := -1
	for i := range f.Accounts {
		same := subtle.ConstantTimeCompare(hash[:], f.Accounts[i].hash[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return Account{}, false
	}
	return f.Accounts[found], true
}

// stranger returns an account for a name that does not exist: like a real one, always
// the same for that name, and with passwords that nobody has.
func (f *File) stranger(key []byte, name string) Account {
	name = fold(name)
	like := f.Accounts[binary.BigEndian.Uint64(mac(key, "like "+name))%uint64(len(f.Accounts))]
	a := Account{Name: name}
	for _, v := range like.verifiers {
		a.verifiers = append(a.verifiers, v.decoy(key, name))
	}
	return a
}

// mechanisms returns the mechanisms that every account can use: a client takes the best
// one offered, and that must work for its user.
func (f *File) mechanisms() []string {
	if len(f.Accounts) == 0 {
		return nil
	}
	all := []string{sasl.Plain, sasl.Login}
	for scheme, mechanism := range map[string]string{ScramSHA256: sasl.ScramSHA256, CramMD5: sasl.CramMD5} {
		lacks := func(a Account) bool { return a.verifier(scheme) == nil }
		if !slices.ContainsFunc(f.Accounts, lacks) {
			all = append(all, mechanism)
		}
	}
	return all
}
