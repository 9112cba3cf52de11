package lists

// CountMembers counts the lines of members, other addresses of theirs included.
func (l *List) CountMembers() (n int, err error) {
	m, err := l.Members()
	if err != nil {
		return 0, err
	}
	defer m.Close()
	for _, err := range m.All() {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// CountPosts counts the posts that the list has kept, for people; 0 if they cannot be
// counted.
func (l *List) CountPosts() (n int) {
	posts := l.Posts()
	if first, last, err := posts.Range(); err == nil {
		for _, err := range posts.Entries(first, last) {
			if err == nil {
				n++
			}
		}
	}
	return n
}
