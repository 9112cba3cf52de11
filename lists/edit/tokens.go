package edit

import (
	"slices"

	"superlist/lists"
	"superlist/lists/access"
)

// AddToken adds a token to those of the site. Expired ones make room for it.
func AddToken(s lists.Directory, t access.Token) error {
	if what := t.Check(); what != "" {
		return inputError("%s", what)
	}
	return changeTokens(s, func(tokens []access.Token) ([]access.Token, error) {
		if slices.ContainsFunc(tokens, func(other access.Token) bool { return other.Name == t.Name }) {
			return nil, inputError("there is a token %q already; superlist token rm %s takes it away", t.Name, t.Name)
		}
		if len(tokens) >= access.MaxTokens {
			tokens = slices.DeleteFunc(tokens, func(other access.Token) bool { return !other.IsGood(t.Made) })
		}
		if len(tokens) >= access.MaxTokens {
			return nil, inputError("there are %d tokens, which is the most", access.MaxTokens)
		}
		return append(tokens, t), nil
	})
}

// RemoveTokens removes tokens by their names. If one of them does not exist nothing is
// changed.
func RemoveTokens(s lists.Directory, names ...string) error {
	return changeTokens(s, func(tokens []access.Token) ([]access.Token, error) {
		for _, name := range names {
			i := slices.IndexFunc(tokens, func(t access.Token) bool { return t.Name == name })
			if i < 0 {
				return nil, inputError("there is no token %q; superlist token ls shows those there are", name)
			}
			tokens = slices.Delete(tokens, i, i+1)
		}
		return tokens, nil
	})
}

// changeTokens replaces the file of tokens, under the lock of lists_dir.
func changeTokens(s lists.Directory, change func([]access.Token) ([]access.Token, error)) (err error) {
	if err := s.Disk.MakeDirs(s.Root); err != nil {
		return err
	}
	unlock, err := s.Disk.Lock(s.Root)
	if err != nil {
		return err
	}
	defer unlock(&err)
	tokens, err := access.Load(s.Root)
	if err != nil {
		return err
	}
	if tokens, err = change(tokens); err != nil {
		return err
	}
	text, err := access.Text(tokens)
	if err != nil {
		return err
	}
	return s.Disk.Replace(access.File(s.Root), text)
}
