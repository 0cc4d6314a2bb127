variable "name" {
  description = "Brand; buckets are called <name>-strata-lake and <name>-strata-outbox."
  type        = string
}

variable "worker_principal" {
  description = "ARN of the role or user under which the worker's machine runs; it may assume both inner roles."
  type        = string
}

variable "vendors" {
  description = "Vendor code to its AWS account and the external id agreed with it."
  type        = map(object({ account = string, external_id = string }))
  default     = {}
}

variable "audit_bucket" {
  description = "Bucket, best in another account, that receives who read and wrote which object."
  type        = string
}

variable "old_versions_days" {
  description = "Days for which a replaced or deleted object can be brought back; erasure is complete after them."
  type        = number
  default     = 30
}

variable "link_minutes" {
  description = "Longest life of a signed link: the largest link_minutes of the vendors' profiles."
  type        = number
  default     = 60
}
