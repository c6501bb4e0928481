package postgres

// Parts that are tested by themselves.
var (
	ListQuery     = listQuery
	RemoveExpired = removeExpired
)
