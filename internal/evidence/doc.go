// Package evidence keeps what a wave did where it outlives every process: one JSON document per wave for people and
// programs, and a journal of records, one per instance, from which a change can be undone after a crash. Both are
// signed.
//
// Nothing that is signed is ever overwritten: every version is an object of its own, created only if it is not
// there yet, so that two writers cannot silently lose each other's words and a repeated write is harmless.
//
//	waves/<wave>/wave.json                                       the newest document, for people; nobody acts by it
//	waves/<wave>/history/000001.json ...                         every version of it, signed; the highest number counts
//	waves/<wave>/instances/<instance>.json                       what was done to one; the document has its SHA-256
//	waves/<wave>/draft/000000 ...                                pages of a document until it is whole
//	waves/<wave>/journal/<account>-<region>-<instance>.json      the record written before the first change
//	waves/<wave>/journal/<account>-<region>-<instance>.2.json    an amendment; the highest number counts
//
// # What each place guarantees
//
//   - s3:// creates with `If-None-Match: *`, which S3 decides atomically.
//   - mem:// (tests) decides under the bucket's lock.
//   - A folder gets its objects by linking a complete, synced temporary file to its name, which the file system decides
//
// atomically. The folder driver of gocloud.dev looks first and renames then, so two writers may both win, and it does
//
//	not sync; it is used for reading and listing only.
//
// None of the three drivers offers a write that depends on what was read (If-Match), hence the numbered objects: an
// amendment reads number n and creates n+1, and whoever comes second finds it taken.
//
// # What a signature proves
//
// An object was written by a holder of one of the ring's keys, for this wave or instance and as this version. A record
// is acted upon by its newest version alone; a wave's document only where every version follows the one before it
// (ProvenWave), by its SHA-256. It does not prove that nothing newer was deleted: against that, deny s3:DeleteObject to
// everybody or use Object Lock. Verify looks at everything.
package evidence
