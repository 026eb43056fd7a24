// Package jobs answers requests later: it keeps them, sealed, until a worker or whoever asks for the answer runs them.
//
// A job is claimed by one statement that counts its attempts up and gives the claimer a lease, longer than the longest
// call. Whatever an attempt writes names its number: who was overtaken, because its process was killed or stood still for longer
// than the lease, writes nothing. The answer and the usage row commit together, so each answered attempt is charged once. What cannot be undone is
// that a provider was called: a job whose process dies between the call and the commit calls again in its second attempt, the last.
//
// Nothing here asks the database for anything by itself, until a worker is started.
package jobs
