-- CreateTable
CREATE TABLE "used_states" (
    "state_hash" TEXT NOT NULL,
    "expires_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "used_states_pkey" PRIMARY KEY ("state_hash")
);

-- CreateIndex
CREATE INDEX "used_states_expires_at_idx" ON "used_states"("expires_at");
