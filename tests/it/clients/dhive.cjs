// What the library @hiveio/dhive reads. Usage: node dhive.cjs NODE BLOCK AUTHOR PERMLINK
const { BlockchainMode, Client } = require('@hiveio/dhive')

async function main(node, number, author, permlink) {
  const client = new Client([node], { timeout: 10_000 })
  const { database, blockchain, rc } = client

  const head = (await database.getDynamicGlobalProperties()).head_block_number
  await database.getConfig()
  await database.getChainProperties()
  await database.getCurrentMedianHistoryPrice()
  const block = await database.getBlock(number)
  const header = await database.getBlockHeader(number)
  const operations = await database.getOperations(number)
  const transaction = await database.getTransaction(block.transaction_ids[0])
  const status = await client.transaction.findTransaction(block.transaction_ids[0])
  const stream = []
  for await (const { block_id } of blockchain.getBlocks({ from: head, mode: BlockchainMode.Latest })) {
    stream.push(block_id)
    if (stream.length === 5) break
  }
  const [account] = await database.getAccounts([author])
  const [name] = await client.call('condenser_api', 'lookup_accounts', [author, 1])
  const followers = await client.call('condenser_api', 'get_followers', [author, '', 'blog', 10])
  const history = await database.getAccountHistory(author, -1, 100)
  const post = await database.call('get_content', [author, permlink])

  return {
    head,
    block: block.block_id,
    operations: operations.map(({ op }) => op[0]),
    stream,
    account: account.name,
    mana: (await rc.getVPMana(author)).percentage / 100,
    followers: followers.map(({ follower }) => follower),
    history: history.map(([, { op }]) => op[0]),
    post: [post.author, post.permlink, post.title],
    votes: post.active_votes.map(({ voter, percent }) => [voter, percent]),
    also: [
      header.previous === block.previous,
      transaction.block_num === number,
      status.status.startsWith('within_'),
      (await rc.getRCMana(author)).percentage === 10_000,
      name === author,
    ],
  }
}

const [node, number, author, permlink] = process.argv.slice(2)
main(node, Number(number), author, permlink).then((read) => console.log(JSON.stringify(read)))
