// Package cluster is how several hosts serve the same lists: a database is the truth, and
// each host's files are a copy of it. It knows files and few formats, and no session links
// what it needs of the database (package pg).
//
// # Units
//
// A unit is what has one lock and one version: a list, by the name DOMAIN/NAME, or the site,
// which has all else below lists_dir that hosts share. A name with a dot in front belongs to
// its host, as does a list's directory web. Each host has a state for each unit, in
// lists_dir/.cluster: the version of its copy, and "changing" while its files may have more
// than that.
//
// # A change
//
// Begin locks the states with flock(2), in the order of their names, and then the rows of
// the units in the database, in one transaction; and it brings the copy up to date. Before
// the first file is changed its unit's state becomes "changing", durably. The writers then
// write files as they do on a site with one host. End reads back what they have touched,
// puts what differs from what the database has into the transaction, with version + 1, and
// commits. Then the state has the new version.
//
// The transaction is the fence: a host that has lost its connection has lost its lock, and
// can commit nothing. No clock has a part in it. What follows from a change, such as a
// letter, is written after End has returned nil. After an error it may have happened or not,
// and is done again, for the same cause.
//
// # Crash states
//
// Who locks a state finds one of these:
//
//  1. A version: the copy had all of it, durably. What has changed since is applied: files
//     first, then the state. Half of that is applied again.
//  2. A version and "changing": a process has died in the middle, or its commit has failed,
//     or the answer was lost. The whole copy is compared with the database, by names, times
//     and sums, and made equal to it: so what was not committed has not happened, and what
//     was has.
//  3. Nothing, and a list is there: it was made by hand, and goes into the database. If the
//     database has another one of that name the error is ErrTwo, and neither is touched.
//
// # Items
//
// A file is in the database in parts, so that little travels when little changes. The
// members file is there line by line, as long as it is in order; one that somebody has
// edited by hand is a file like others. A part that is gone stays as one without content,
// for hosts that have not heard of it yet.
//
// A list that comes is made beside its place and renamed into it; where its new address was
// an alias they change places in one step. What comes and goes always changes with the
// site, so that hosts learn of it in the order in which it happened.
package cluster
