// Package jobs runs asynchronous requests. It stores them, encrypted, until a worker or a poll for the answer runs them.
//
// A job is claimed by one statement that raises its number of attempts and gives the claimer a lease, longer than the
// longest call. Everything that an attempt writes names its number, so that an attempt whose process was killed or
// suspended for longer than the lease writes nothing. The answer and the usage row commit together: each answered attempt
// is charged once. A call of a provider cannot be undone: a job whose process dies between the call and the commit calls
// again in its second attempt, the last.
//
// Without a worker nothing here queries the database by itself.
package jobs
