-- CreateTable
CREATE TABLE "used_states" (
    "state_hash" TEXT NOT NULL PRIMARY KEY,
    "expires_at" DATETIME NOT NULL
);

-- CreateIndex
CREATE INDEX "used_states_expires_at_idx" ON "used_states"("expires_at");
