// What the library @hiveio/hive-js reads. Usage: node hive_js.cjs NODE BLOCK AUTHOR PERMLINK
const { api } = require('@hiveio/hive-js')

const fiveBlocks = () => new Promise((resolve, reject) => {
  const ids = []
  const release = api.streamBlock((error, block) => {
    if (error) return reject(error)
    ids.push(block.block_id)
    if (ids.length < 5) return
    release()
    resolve(ids)
  })
})

async function main(node, number, author, permlink) {
  api.setOptions({ url: node })

  const head = (await api.getDynamicGlobalPropertiesAsync()).head_block_number
  await api.getConfigAsync()
  await api.getFeedHistoryAsync()
  await api.getWitnessScheduleAsync()
  await api.getHardforkVersionAsync()
  await api.getRewardFundAsync('post')
  const block = await api.getBlockAsync(number)
  const header = await api.getBlockHeaderAsync(number)
  const operations = await api.getOpsInBlockAsync(number, false)
  const transaction = await api.getTransactionAsync(block.transaction_ids[0])
  const stream = await fiveBlocks()
  const [account] = await api.getAccountsAsync([author])
  const [name] = await api.lookupAccountsAsync(author, 1)
  const [looked] = await api.lookupAccountNamesAsync([author])
  const followers = await api.getFollowersAsync(author, '', 'blog', 10)
  const count = await api.getFollowCountAsync(author)
  const history = await api.getAccountHistoryAsync(author, -1, 100)
  const post = await api.getContentAsync(author, permlink)

  return {
    head,
    block: block.block_id,
    operations: operations.map(({ op }) => op[0]),
    stream,
    account: account.name,
    mana: account.voting_power / 100,
    followers: followers.map(({ follower }) => follower),
    history: history.map(([, { op }]) => op[0]),
    post: [post.author, post.permlink, post.title],
    votes: post.active_votes.map(({ voter, percent }) => [voter, percent]),
    also: [
      header.previous === block.previous,
      transaction.block_num === number,
      name === author,
      looked.name === author,
      count.follower_count === followers.length,
    ],
  }
}

const [node, number, author, permlink] = process.argv.slice(2)
main(node, Number(number), author, permlink)
  .then((read) => console.log(JSON.stringify(read)))
  .then(() => process.exit())
