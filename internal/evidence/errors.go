package evidence

import "fmt"

// NotFoundError says that the store holds no such document. It is an error and never a zero value: a missing journal
// record must not read like "nothing was changed".
type NotFoundError struct {
	Name string // the document, as the store names it
}

// Error names the document.
func (e *NotFoundError) Error() string { return fmt.Sprintf("evidence: there is no %s", e.Name) }

// ConflictError says that somebody else wrote a version of the document between our reading and our writing. Read it
// again and decide again.
type ConflictError struct {
	Name string // the object that was taken
}

// Error names the object and what to do.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("evidence: %s was written by somebody else meanwhile; read it again and decide again", e.Name)
}

// InvalidWaveError says that a wave's document cannot be trusted: a version of it is unsigned, altered, moved, missing
// or does not follow the one before it. Nothing may be rolled back by it.
type InvalidWaveError struct {
	Name   string // the object
	Reason string
}

// Error names the object, what is wrong and what to do.
func (e *InvalidWaveError) Error() string {
	return fmt.Sprintf("evidence: the wave's document %s %s; do not act on it: `patchtide evidence verify` lists all that is "+
		"wrong; put the object back from a copy of your own, or roll back by hand", e.Name, e.Reason)
}

// InvalidInstanceError says that what a wave is said to have done to an instance cannot be trusted: it is unsigned,
// altered or moved. It proves nothing.
type InvalidInstanceError struct {
	Wave, Instance string
	Reason         string
}

// Error names the document, what is wrong and what to do.
func (e *InvalidInstanceError) Error() string {
	return fmt.Sprintf("evidence: the document of instance %s of wave %s %s; do not act on it: `patchtide evidence verify` "+
		"lists all that is wrong", e.Instance, e.Wave, e.Reason)
}

// InvalidRecordError says that a journal record cannot be trusted: unsigned, signed with another key, altered, moved,
// or with a version missing. Nothing may be undone from it.
type InvalidRecordError struct {
	Name   string // the object
	Reason string
}

// Error names the object, what is wrong and what to do.
func (e *InvalidRecordError) Error() string {
	return fmt.Sprintf("evidence: journal record %s %s; do not act on it, compare the instance by hand", e.Name, e.Reason)
}

// OtherRegionError says that the bucket is in another region than the one in which S3 is asked for it: S3 redirects
// such requests nowhere that a client could follow.
type OtherRegionError struct {
	Bucket string
	Is     string // the region it is in
	Asked  string // the region of this program's configuration
}

// Error names both regions and what to do.
func (e *OtherRegionError) Error() string {
	return fmt.Sprintf("evidence: the bucket %s is in %s, and this program asks S3 for it in %s; set AWS_REGION=%s for "+
		"the worker and for whoever reads the evidence, or name a bucket of %s", e.Bucket, e.Is, e.Asked, e.Is, e.Asked)
}
