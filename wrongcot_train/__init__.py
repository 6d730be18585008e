"""Students: fine-tuned on the traces that `wrongcot_data` builds, and scored with its graders."""
