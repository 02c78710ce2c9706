// Package aws reads AWS and tells its errors apart. Functions named Find answer nil, or nothing, where there is none;
// those named Read never answer nil without an error. It knows nothing of Temporal, nor of what a reading is for.
package aws
