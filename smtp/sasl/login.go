package sasl

import gosasl "github.com/emersion/go-sasl"

// loginServer is draft-murchison-sasl-login: two prompts, whose exact words old clients
// rely on.
type loginServer struct {
	check func(user, password string) error
	user  string
	step  int
}

// NewLoginServer returns a server of LOGIN. The exchange ends with the error of check.
func NewLoginServer(check func(user, password string) error) gosasl.Server {
	return &loginServer{check: check}
}

func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && s.step == 0 {
		s.step = 1
		return []byte("Username:"), false, nil
	}
	switch s.step {
	case 0, 1: // a user name may come with the command
		s.user, s.step = string(response), 2
		return []byte("Password:"), false, nil
	case 2:
		s.step = 3
		if err := s.check(s.user, string(response)); err != nil {
			return nil, false, err
		}
		return nil, true, nil
	}
	return nil, false, gosasl.ErrUnexpectedClientResponse
}
